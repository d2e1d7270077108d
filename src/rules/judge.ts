// What a policy is to the gate once its rules are compiled: a judge with an opinion, and what that opinion depends on. Pure; no I/O.
import type { GateInput, GateTool, PolicyFinding } from './gate.ts';
import type { FailureMode, PolicyAttachment, PolicyKind, PolicyMode, PolicyRollout, PolicyScope } from './policy.ts';

/** A policy as stored; enabled ones only. */
export interface PolicySource {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly kind: PolicyKind;
  readonly mode: PolicyMode;
  readonly priority: number;
  readonly scope: PolicyScope;
  // Absent in versions that older releases wrote:
  readonly attachments?: readonly PolicyAttachment[] | undefined;
  readonly rollout?: PolicyRollout | null | undefined;
  readonly onError?: FailureMode | undefined;
  readonly rules: unknown;
}

/**
 * The part of an input that repeats from call to call. Two effects that agree in it get the same opinion of a judge that is
 * `bySituation`: `policy-set.ts` remembers it. Arguments, their signs, labels, moments, rates and costs are no part of it.
 */
export type Situation = Pick<
  GateInput,
  'action' | 'projectId' | 'environmentId' | 'environmentKind' | 'agentId' | 'agentTags' | 'teamId' | 'roles'
> & { readonly tool: Omit<GateTool, 'signs'> | null };

/** What a policy says of one effect; null when it has nothing to say. */
export type Opinion = Pick<PolicyFinding, 'effect' | 'reason' | 'expiresInMs' | 'terms' | 'notBefore'>;

/** A counter that has to be read before an effect can be judged. */
export interface RateDemand {
  readonly policyId: string;
  /** What the policy counts apart, as JSON text. */
  readonly key: string;
  readonly limit: number;
  readonly windowMs: number;
}

/** Asked for every effect, unless it says that it looks at the situation alone. */
export interface Judge {
  (input: GateInput): Opinion | null;
  readonly bySituation?: true;
  /** False: it has nothing to say of any effect of this situation, so it is never asked there. */
  readonly concerns?: (situation: Situation) => boolean;
  /** The judge itself for whoever has asked that; it need not ask again. */
  readonly concerned?: (input: GateInput) => Opinion | null;
  /** The counter that has to be read before it is asked; null when it does not count this effect. */
  readonly counts?: (input: GateInput) => RateDemand | null;
}

/** A judge that is asked where it may have something to say only: `judge` may rely on that. */
export const whereConcerned = (concerns: (situation: Situation) => boolean, judge: (input: GateInput) => Opinion | null): Judge =>
  Object.assign((input: GateInput) => (concerns(input) ? judge(input) : null), { concerns, concerned: judge });

/** A judge whose opinion may be remembered: the type keeps it from everything else. */
export const bySituation = (judge: (situation: Situation) => Opinion | null): Judge => Object.assign(judge, { bySituation: true as const });
