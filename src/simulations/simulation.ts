// Simulations of policies: statuses, what a candidate makes of the policies in force, and what it would have decided. Pure; no I/O.
import type { Approver } from '../approvals/approval-terms.ts';
import { digestOf } from '../platform/canonical.ts';
import { approvalTerms, evaluateGate } from '../rules/evaluate.ts';
import type { GateInput, GateVerdict, RateFact } from '../rules/gate.ts';
import type { PolicySource } from '../rules/judge.ts';
import type { DecisionEffect, PolicyDocument } from '../rules/policy.ts';
import type { PolicySet } from '../rules/policy-set.ts';
import type { RateDemand } from '../rules/judge.ts';
import { createRateWindow, type RateWindow } from './rate-window.ts';

export const simulationStatuses = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export type SimulationStatus = (typeof simulationStatuses)[number];

/** Decisions that one simulation looks at, and policies that one candidate names. */
export const maxDecisions = 1_000_000;
export const maxCandidates = 100;

export const isOver = (status: SimulationStatus): boolean => status !== 'queued' && status !== 'running';

/** New and changed policies as a whole, and those that would be gone. */
export interface StoredCandidate {
  readonly written: readonly { readonly id: string; readonly version: number; readonly document: PolicyDocument }[];
  readonly removed: readonly string[];
}

export function withCandidate(current: readonly PolicySource[], { written, removed }: StoredCandidate): PolicySource[] {
  const replaced = new Set([...removed, ...written.map(({ id }) => id)]);
  const added = written.filter(({ document }) => document.enabled).map(({ id, version, document }) => ({ id, version, ...document }));
  return [...current.filter(({ id }) => !replaced.has(id)), ...added];
}

/** What was recorded, as far as judging it again needs it. */
export interface RecordedEffect {
  readonly input: GateInput;
  /** What was decided then. */
  readonly effect: DecisionEffect;
  readonly executionId: string | null;
  /** Step and item. */
  readonly slot: string;
}

/** A set of policies that lives through the recorded effects in their order. */
export interface Replayer {
  judge(recorded: RecordedEffect): GateVerdict;
}

/**
 * What counters said stands in the record, for the limits of that time. A limit that was not there, or another one, is counted here,
 * from the beginning of the period on: as at the gate, each effect that the policies let go.
 */
export function createReplayer(policies: PolicySet): Replayer {
  const counters = new Map<string, RateWindow>();
  const asked = new Set<string>();

  function counterOf({ policyId, key, limit, windowMs }: RateDemand): RateWindow {
    const name = JSON.stringify([policyId, key]);
    const counter = counters.get(name) ?? createRateWindow(limit, windowMs);
    counters.set(name, counter);
    return counter;
  }

  /** What was put off, or asked about for the first time, comes again when it goes, if it ever does. */
  function comesAgain({ effect, input, executionId, slot }: RecordedEffect): boolean {
    if (effect === 'queue' || effect === 'delay') return true;
    if (effect !== 'require_approval') return false;
    const { action, agentId, principalId, tool } = input;
    const what = executionId === null ? digestOf([agentId, principalId, tool?.name ?? null, input.arguments ?? null]) : executionId;
    const name = `${action} ${what} ${slot}`;
    if (asked.has(name)) return false;
    asked.add(name);
    return true;
  }

  return {
    judge(recorded) {
      const { input } = recorded;
      const demands = policies.inForce(input).flatMap(({ judge }) => judge.counts?.(input) ?? []);
      if (demands.length === 0) return evaluateGate(policies, input);
      const at = Date.parse(input.at);
      const rates: Record<string, RateFact> = { ...input.rates };
      const counted = demands.filter((demand) => !fits(input.rates?.[demand.policyId], demand));
      for (const demand of counted) rates[demand.policyId] = factOf(demand, counterOf(demand).read(at));
      const verdict = evaluateGate(policies, { ...input, rates });
      if (!comesAgain(recorded) && verdict.effect !== 'deny') {
        const moment = verdict.notBefore === undefined ? at : Math.max(at, Date.parse(verdict.notBefore));
        for (const demand of counted) counterOf(demand).add(moment);
      }
      return verdict;
    },
  };
}

const fits = (fact: RateFact | undefined, { key, limit, windowMs }: RateDemand): boolean =>
  fact?.key === key && fact.limit === limit && fact.windowMs === windowMs;

const factOf = ({ key, limit, windowMs }: RateDemand, { count, freeAt }: ReturnType<RateWindow['read']>): RateFact => ({
  ...{ key, limit, windowMs, count, freeAt: new Date(freeAt).toISOString() },
});

/** Whoever holds the permission to decide, where no policy names anybody. */
export const anyone = 'anyone';

/** Who would be asked, each once: `principal:<id>`, `role:<name>`, `team:<id>` or `anyone`. */
export function approversOf(verdict: GateVerdict): string[] {
  if (verdict.effect !== 'require_approval') return [];
  const stages = approvalTerms(verdict).terms?.stages ?? [];
  const named = stages.flatMap(({ approvers }) => (approvers.length === 0 ? [anyone] : approvers.map(nameOf)));
  return named.length === 0 ? [anyone] : [...new Set(named)].sort();
}

const nameOf = (approver: Approver): string =>
  'principal' in approver ? `principal:${approver.principal}` : 'role' in approver ? `role:${approver.role}` : `team:${approver.team}`;

export interface VerdictChange {
  readonly before: DecisionEffect;
  readonly after: DecisionEffect;
  readonly count: number;
}

/** What is known while it runs. */
export interface SimulationProgress {
  readonly verdicts: readonly VerdictChange[];
  /** Decisions that the policies of now would make otherwise than those of then, candidate or not. */
  readonly drifted: number;
  /** Decisions about which a policy of the candidate could not be evaluated. */
  readonly failed: number;
  /** Decisions of whose input something was left out. */
  readonly redacted: number;
}

/** What is known at its end. */
export interface SimulationResult extends SimulationProgress {
  readonly agentCount: number;
  readonly executionCount: number;
  /** Those with the most changes first. */
  readonly agents: readonly { readonly agentId: string; readonly changed: number; readonly executions: number }[];
  readonly approvals: readonly { readonly day: string; readonly approver: string; readonly count: number }[];
}

export function createTally() {
  const verdicts = new Map<string, VerdictChange>();
  const counts = { drifted: 0, failed: 0, redacted: 0 };
  return {
    add(
      change: { before: DecisionEffect; after: DecisionEffect },
      about: { drifted: boolean; failed: boolean; redacted: boolean; asksOthers: boolean },
    ) {
      counts.drifted += Number(about.drifted);
      counts.failed += Number(about.failed);
      counts.redacted += Number(about.redacted);
      if (change.before === change.after && !about.asksOthers) return;
      const key = `${change.before} ${change.after}`;
      verdicts.set(key, { ...change, count: (verdicts.get(key)?.count ?? 0) + 1 });
    },
    progress: (): SimulationProgress => ({ ...counts, verdicts: [...verdicts.values()].sort((a, b) => b.count - a.count) }),
  };
}
