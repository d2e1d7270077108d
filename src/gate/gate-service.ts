// The gate at work: inside the dispatch transaction it judges one effect with the policies of this moment and records the decision.
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { holdRules } from '../authority/rules-lock.ts';
import type { Page, PageRequest } from '../platform/page.ts';
import type { Authority } from '../authority/permission.ts';
import type { PolicySource } from '../rules/compile.ts';
import {
  decisionsByIds,
  decisionsOfExecutions,
  listDecisions,
  type DecisionFilter,
  type DecisionRow,
} from '../decisions/decision-reads.ts';
import { recordDecision, type DecisionReference } from '../decisions/decision-store.ts';
import { approvalTerms, evaluateGate } from '../rules/evaluate.ts';
import type { GateInput, GateVerdict } from '../rules/gate.ts';
import type { PolicyDocument, PolicyKind } from '../rules/policy.ts';
import { compilePolicies, type PolicySet } from '../rules/policy-set.ts';
import { callNext } from './rate-line.ts';
import { holderOf, momentOf, readTurn } from './rate-turn.ts';
import { boundedPolicies, watchDenials } from '../policies/rollout.ts';
import { createRedactor, type Redactor } from '../decisions/redaction.ts';

export type { DecisionReference } from '../decisions/decision-store.ts';

export interface JudgeOptions {
  /** `tenants.policy_revision` when the caller has just read it in this transaction, holding the rules; saves one statement. */
  readonly policyRevision?: number | undefined;
  /** What has a place in line when a rate limit puts it off, for what is no part of an execution; else it is told by the reference. */
  readonly holder?: string | undefined;
  /** It is only asked what would happen: recorded, but no rate limit counts it. */
  readonly isRehearsal?: boolean | undefined;
}

export interface Judgement {
  readonly verdict: GateVerdict;
  readonly decisionId: string;
  /** `policyId@version` of each enforced policy that asks for an approval, sorted: `ApprovalSubject.policies`. */
  readonly policyVersions: readonly string[];
  /** The kill switch that stops it, oldest first; what is stopped goes on after the release. */
  readonly haltedBy: { readonly id: string; readonly reason: string } | null;
  /** Policies put it off until then: with `queue` and `delay`, and with `require_approval` even when that is given. */
  readonly notBefore: Date | null;
  /** For whoever goes on after `require_approval`: it counts against rate limits now, or takes its place in line (`notBefore`). */
  granted(): void;
  /** What the same policies say of a variation, such as where a redirect leads. Recorded nowhere. */
  consider(change: Partial<GateInput>): GateVerdict;
}

export interface Gate {
  /** Evaluates and always records, whatever the outcome. Authorises nothing: the caller is the dispatch, not a person. */
  judge(uow: UnitOfWork, input: GateInput, reference: DecisionReference, options?: JudgeOptions): Promise<Judgement>;
  /** The same for `output.deliver`; null, and nothing is recorded or read, where no policy looks at outputs. */
  judgeOutput(
    uow: UnitOfWork,
    input: GateInput,
    output: () => unknown,
    reference: DecisionReference,
    options?: JudgeOptions,
  ): Promise<Judgement | null>;
  /** Job `move-line-up`: calls those who have a place now; gives the ids of the tool calls among them. */
  callNext(uow: UnitOfWork, line: { readonly policyId: string; readonly key: string }): Promise<string[]>;
  decisionsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<DecisionRow[]>;
  listDecisions(uow: UnitOfWork, actor: Authority, filter: DecisionFilter, page: PageRequest): Promise<Page<DecisionRow>>;
  /** One page per execution, in the order of the ids. */
  decisionsOfExecutions(
    uow: UnitOfWork,
    actor: Authority,
    executionIds: readonly string[],
    page: PageRequest,
  ): Promise<Page<DecisionRow>[]>;
}

/**
 * What the gate has to know besides policies: kill switches, grants. Loaded with them and kept until `tenants.policy_revision`
 * rises, so whoever changes it raises that in the same transaction.
 */
export interface FactSource {
  /** What is in force in the tenant now, as a function from an effect to what it adds to the input. */
  load(uow: UnitOfWork): Promise<(input: GateInput) => Partial<GateInput>>;
}

interface Compiled {
  readonly revision: number;
  readonly policies: PolicySet;
  readonly kinds: ReadonlySet<PolicyKind>;
  /** Policies that fall back when they deny too much. */
  readonly bounded: ReadonlySet<string>;
  readonly facts: readonly ((input: GateInput) => Partial<GateInput>)[];
}

export interface GateSettings {
  readonly clock: Clock;
  readonly facts?: readonly FactSource[] | undefined;
  /** Time of rate limits; absent: that of Postgres, which all processes share. */
  readonly rateClock?: Clock | null | undefined;
  /** What is kept out of decision records. */
  readonly redact?: Redactor | undefined;
  /** Tenants whose policies are kept in memory. */
  readonly maxTenants?: number | undefined;
}

export function createGate(settings: GateSettings): Gate {
  const { clock, facts: factSources = [], rateClock = null, redact = createRedactor([]), maxTenants = 500 } = settings;
  /** Least recently used first. Filled from committed state only. */
  const cache = new Map<string, Compiled>();

  async function compiledFor(uow: UnitOfWork, known: number | undefined): Promise<Compiled> {
    const cached = cache.get(uow.tenantId);
    if (cached) {
      const revision = known ?? (await readRevision(uow));
      if (revision === cached.revision) {
        cache.delete(uow.tenantId);
        cache.set(uow.tenantId, cached);
        return cached;
      }
    }
    // In this order: what is newer than the revision it is kept under is replaced as soon as the newer revision is seen.
    const [{ isOwnChange, ...loaded }, ...facts] = await Promise.all([load(uow), ...factSources.map((source) => source.load(uow))]);
    const compiled = { ...loaded, facts };
    // A change this very transaction made may still be rolled back: its revision must not stand for what others commit.
    if (!isOwnChange) {
      cache.delete(uow.tenantId);
      cache.set(uow.tenantId, compiled);
      const oldest = cache.size > maxTenants ? cache.keys().next() : null;
      if (oldest && !oldest.done) cache.delete(oldest.value);
    }
    return compiled;
  }

  async function judgeWith(
    { policies, facts, kinds, bounded }: Compiled,
    uow: UnitOfWork,
    effect: GateInput,
    reference: DecisionReference,
    { holder, isRehearsal = false }: Pick<JudgeOptions, 'holder' | 'isRehearsal'> = {},
  ) {
    const demands = kinds.has('rate_limit') ? policies.inForce(effect).flatMap(({ judge }) => judge.counts?.(effect) ?? []) : [];
    const turn = await readTurn(uow, demands, holderOf(reference, holder), new Date(effect.at), rateClock);
    const known = turn ? { ...effect, rates: turn.facts } : effect;
    const input: GateInput = { ...known };
    for (const fact of facts) Object.assign(input, fact(input));
    const startedAt = performance.now();
    const verdict = evaluateGate(policies, input);
    const durationMicros = Math.round((performance.now() - startedAt) * 1_000);
    const decisionId = recordDecision(uow, { input, reference, verdict, durationMicros, at: clock.now() }, redact);
    await watchDenials(uow, bounded, verdict);
    const haltedBy = input.killSwitches?.[0] ?? null;
    // What a kill switch stops goes on later: it keeps its place.
    if (!haltedBy && !isRehearsal) turn?.settle(verdict);
    return {
      verdict,
      decisionId,
      policyVersions: verdict.effect === 'require_approval' ? approvalTerms(verdict).policies : [],
      haltedBy,
      notBefore: momentOf(verdict),
      granted: () => turn?.go(verdict),
      consider: (change: Partial<GateInput>) => evaluateGate(policies, { ...input, ...change }),
    };
  }

  return {
    decisionsByIds,
    listDecisions,
    decisionsOfExecutions,
    callNext: (uow, line) => callNext(uow, line, rateClock),

    async judge(uow, effect, reference, { policyRevision, ...rest } = {}) {
      if (policyRevision === undefined) holdRules(uow);
      return judgeWith(await compiledFor(uow, policyRevision), uow, effect, reference, rest);
    },

    async judgeOutput(uow, effect, output, reference, { policyRevision } = {}) {
      if (policyRevision === undefined) holdRules(uow);
      const compiled = await compiledFor(uow, policyRevision);
      if (!compiled.kinds.has('content') || !compiled.policies.inForce(effect).some(({ source }) => source.kind === 'content')) return null;
      return judgeWith(compiled, uow, { ...effect, output: output() }, reference);
    },
  };
}

async function readRevision(uow: UnitOfWork): Promise<number | null> {
  const [row] = await uow.rows<{ revision: number }>('select policy_revision as "revision" from tenants where id = $1', [uow.tenantId]);
  return row?.revision ?? null;
}

/** Revision and policies of one snapshot (one statement), so that they always belong together. */
async function load(uow: UnitOfWork): Promise<Omit<Compiled, 'facts'> & { isOwnChange: boolean }> {
  const rows = await uow.rows<{
    revision: number;
    isOwnChange: boolean | null;
    id: string | null;
    version: number;
    document: PolicyDocument;
  }>(
    `select t.policy_revision as "revision", t.xmin = pg_current_xact_id_if_assigned()::xid as "isOwnChange",
       p.id, p.version, v.rules as "document"
     from tenants t
     left join (policies p join policy_versions v on v.policy_id = p.id and v.version = p.version)
       on p.tenant_id = t.id and p.enabled and p.deleted_at is null
     where t.id = $1`,
    [uow.tenantId],
  );
  const [first] = rows;
  if (!first) throw new Error('the gate was asked to judge in a tenant that does not exist');
  const sources = rows.flatMap(({ id, version, document }): PolicySource[] => (id === null ? [] : [{ id, version, ...document }]));
  const kinds = new Set(sources.map(({ kind }) => kind));
  return {
    revision: first.revision,
    policies: compilePolicies(sources),
    kinds,
    bounded: boundedPolicies(sources),
    isOwnChange: first.isOwnChange === true,
  };
}
