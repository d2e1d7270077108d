// From what an author wants to the policy as a whole, checked and resolved, with the places where the permission is needed. Writes nothing.
import type { ApprovalTerms } from '../approvals/approval-terms.ts';
import { approverProblems } from '../approvals/approver-reads.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { ValidationError } from '../platform/errors.ts';
import type { Authority, Place } from '../authority/permission.ts';
import { checkPolicy, type PolicyFields } from './policy-input.ts';
import { everywhere } from '../rules/policy-places.ts';
import { scopeOf, type PolicyRow } from './policy-reads.ts';
import { placesOfScopes, refuseRepeated, resolveScopes, scopePath, type ScopeInput, type WrittenScope } from './policy-scope.ts';
import { parseRules } from '../rules/rules.ts';
import type { FailureMode, PolicyAttachment, PolicyDocument, PolicyKind, PolicyMode, PolicyScope } from '../rules/policy.ts';

type Maybe<T> = T | null | undefined;

export interface NewAttachment {
  readonly scope: ScopeInput;
  readonly mode?: Maybe<PolicyMode>;
  readonly priority?: Maybe<number>;
  /** False: an exception. */
  readonly enabled?: Maybe<boolean>;
}

export interface NewRollout {
  readonly percent: number;
  readonly maxDenialPercent?: Maybe<number>;
  /** One hour when left out. */
  readonly windowMs?: Maybe<number>;
}

export interface NewPolicy {
  readonly name: string;
  readonly description?: Maybe<string>;
  readonly kind: PolicyKind;
  readonly mode?: Maybe<PolicyMode>;
  readonly priority?: Maybe<number>;
  readonly enabled?: Maybe<boolean>;
  /** Left out: the whole tenant. */
  readonly scope?: Maybe<ScopeInput>;
  readonly attachments?: Maybe<readonly NewAttachment[]>;
  readonly rollout?: Maybe<NewRollout>;
  readonly onError?: Maybe<FailureMode>;
  /** As `rules.ts` wants them for the kind. */
  readonly rules?: unknown;
}

/** Fields left out stay as they are; `scope`, `attachments` and `rollout` replace the whole of it, a `rollout` of null ends it. */
export type PolicyChanges = Partial<Omit<NewPolicy, 'kind' | 'name'>> & { readonly name?: Maybe<string> };

export interface Draft {
  readonly document: Omit<PolicyDocument, 'change'>;
  readonly places: readonly Place[];
}

export async function draftOfNew(uow: UnitOfWork, actor: Authority, input: NewPolicy): Promise<Draft> {
  const fields = checkPolicy({
    ...fieldsOf(input),
    name: input.name,
    kind: input.kind,
    scope: input.scope ?? {},
    attachments: [...(input.attachments ?? [])],
    rollout: rolloutOf(input.rollout),
    rules: input.rules,
  });
  await refuseUnknownApprovers(uow, input.kind, input.rules);
  const places = await resolveScopes(uow, actor, [{ path: scopePath(0), input: input.scope ?? {} }, ...writtenIn(input.attachments ?? [])]);
  const [own, ...attached] = places.map(({ scope }) => scope);
  const attachments = attachmentsOf(fields, attached);
  return finished(fields, own!, attachments, input.enabled ?? true, input.rules, places.map(({ place }) => place)); // prettier-ignore
}

/** What is not changed is not looked up again: a scope may name what its editor cannot see, or what is gone. */
export async function draftOfChange(uow: UnitOfWork, actor: Authority, before: PolicyRow, input: PolicyChanges): Promise<Draft> {
  const rules = input.rules ?? before.rules;
  const fields = checkPolicy({
    name: input.name ?? before.name,
    kind: before.kind,
    description: input.description ?? before.description,
    mode: input.mode ?? before.mode,
    priority: input.priority ?? before.priority,
    onError: input.onError ?? before.onError,
    scope: input.scope ?? scopeOf(before),
    attachments: [...(input.attachments ?? before.attachments)],
    rollout: input.rollout === undefined ? before.rollout : rolloutOf(input.rollout),
    rules,
  });
  if (input.rules !== undefined && input.rules !== null) await refuseUnknownApprovers(uow, before.kind, rules);
  const own = input.scope ? await resolveScopes(uow, actor, [{ path: scopePath(0), input: input.scope }]) : null;
  const attached = input.attachments ? await resolveScopes(uow, actor, writtenIn(input.attachments)) : null;
  const scope = own?.[0]?.scope ?? scopeOf(before);
  const attachments = attached
    ? attachmentsOf(
        fields,
        attached.map((each) => each.scope),
      )
    : before.attachments;
  const places = await placesOfScopes(uow, [scope, ...attachments.map((each) => each.scope)]);
  return finished(fields, scope, attachments, input.enabled ?? before.enabled, rules, places);
}

/** A group that nobody is in, or that is smaller than its quorum, would keep what it is asked waiting for ever. */
async function refuseUnknownApprovers(uow: UnitOfWork, kind: PolicyKind, value: unknown): Promise<void> {
  const parsed = parseRules(kind, value);
  const rules: readonly { readonly approvers?: ApprovalTerms | undefined }[] = parsed.ok && Array.isArray(parsed.rules) ? parsed.rules : [];
  const asked = rules.flatMap(({ approvers }, index) => (approvers ? [{ terms: approvers, path: `rules[${index}].approvers` }] : []));
  const problems = await approverProblems(uow, asked);
  if (problems.length > 0) throw new ValidationError(problems);
}

function finished(
  { name, description, kind, mode, priority, onError, rollout }: PolicyFields,
  scope: PolicyScope,
  attachments: readonly PolicyAttachment[],
  enabled: boolean,
  rules: unknown,
  places: readonly Place[],
): Draft {
  refuseRepeated([scope, ...attachments.map((each) => each.scope)]);
  const { percent, maxDenialPercent = null, windowMs } = rollout ?? {};
  return {
    places,
    document: {
      name,
      description,
      kind,
      mode,
      priority,
      enabled,
      scope,
      attachments,
      rollout: percent === undefined || windowMs === undefined ? null : { percent, maxDenialPercent, windowMs },
      onError,
      rules,
    },
  };
}

/** Null and absent are the same to an author; the checks know defaults only for what is absent. */
const fieldsOf = ({ description, mode, priority, onError }: NewPolicy) => ({
  description: description ?? undefined,
  mode: mode ?? undefined,
  priority: priority ?? undefined,
  onError: onError ?? undefined,
});

const rolloutOf = (rollout: Maybe<NewRollout>) => (rollout ? { ...rollout, windowMs: rollout.windowMs ?? undefined } : null);

const writtenIn = (attachments: readonly NewAttachment[]): WrittenScope[] =>
  attachments.map(({ scope }, index) => ({ path: scopePath(index + 1), input: scope }));

const attachmentsOf = ({ attachments }: PolicyFields, scopes: readonly PolicyScope[]): PolicyAttachment[] =>
  attachments.map(({ mode, priority, enabled }, index) => ({
    scope: scopes[index] ?? everywhere,
    ...(mode != null && { mode }),
    ...(priority != null && { priority }),
    ...(enabled != null && { enabled }),
  }));
