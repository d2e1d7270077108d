// What a rate limit says of an effect, from what its counter said (`input.rates`). Pure; the counting stands in rate-store.ts.
import { parseDuration } from '../platform/duration.ts';
import type { GateInput, RateFact } from './gate.ts';
import { whereConcerned, type Judge, type Opinion, type PolicySource, type RateDemand } from './judge.ts';
import { compileMatching, wholly } from './matching.ts';
import type { GateAction } from './policy.ts';
import { defaultMaxQueueMs, type RateLimitRules, type RatePart } from './rate-rules.ts';

const actionsOf: Record<RateLimitRules['count'], readonly GateAction[]> = {
  executions: ['execution.start'],
  tool_calls: ['tool.call', 'http.request'],
};

const nouns: Record<RateLimitRules['count'], readonly [one: string, more: string]> = {
  executions: ['start of an execution', 'starts of executions'],
  tool_calls: ['tool call', 'tool calls'],
};

const partOf: Record<RatePart, (input: GateInput) => string | null> = {
  agent: (input) => input.agentId,
  tool: (input) => input.tool?.name ?? null,
  principal: (input) => input.principalId,
  environment: (input) => input.environmentId,
  project: (input) => input.projectId,
};

/** What it counts apart, as JSON text. Of one effect many policies ask the same. */
function compileKey(per: readonly RatePart[]): (input: GateInput) => string {
  if (per.length === 0) return () => '[]';
  const known = lastKeys.get(per.join()) ?? { values: [], key: '[]' };
  lastKeys.set(per.join(), known);
  const parts = per.map((part) => partOf[part]);
  const isKnown = (input: GateInput) => {
    for (let index = 0; index < parts.length; index += 1) if (known.values[index] !== parts[index]!(input)) return false;
    return true;
  };
  return (input) => {
    if (isKnown(input)) return known.key;
    known.values = parts.map((part) => part(input));
    return (known.key = JSON.stringify(known.values));
  };
}
const lastKeys = new Map<string, { values: readonly (string | null)[]; key: string }>();

export function rateLimit(source: PolicySource, rules: RateLimitRules): Judge {
  const windowMs = parseDuration(rules.window)!;
  const maxDelayMs = (rules.maxDelay === undefined ? null : parseDuration(rules.maxDelay)) ?? defaultMaxQueueMs;
  const matching = compileMatching(rules, actionsOf[rules.count]);
  const matches = wholly(matching);
  const keyOf = compileKey(rules.per);
  const demandOf = (input: GateInput): RateDemand => ({ policyId: source.id, key: keyOf(input), limit: rules.limit, windowMs });
  /** A number that was kept for another limit or window says nothing about this one: that is for the policy's failure mode. */
  const factOf = (input: GateInput): RateFact => {
    const fact = input.rates?.[source.id];
    if (!fact) throw new Error('nobody has read its counter');
    if (fact.limit !== rules.limit || fact.windowMs !== windowMs || fact.key !== keyOf(input)) {
      throw new Error('its counter was read for other rules');
    }
    return fact;
  };
  const what = `${rules.limit} ${nouns[rules.count][rules.limit === 1 ? 0 : 1]}`;
  const each = rules.per.length === 0 ? '' : ` for each ${rules.per.join(' and ')}`;
  const allows = `Policy "${source.name}" allows ${what} in ${rules.window}${each}`;
  const said = rules.message === undefined ? '' : ` ${rules.message}`;

  const judge = (input: GateInput): Opinion | null => {
    if (matching.ofEffect && !matching.ofEffect(input)) return null;
    const fact = factOf(input);
    if (fact.freeAt === input.at || Date.parse(fact.freeAt) <= Date.parse(input.at)) return null;
    const reason = `${allows}, and that many were made or wait for their turn; the next is possible from ${fact.freeAt}.${said}`;
    if (rules.onViolation === 'warn') return { effect: 'warn', reason };
    if (rules.onViolation === 'reject') return { effect: 'deny', reason };
    const waitsMs = Date.parse(fact.freeAt) - Date.parse(fact.askedAt ?? input.at);
    if (waitsMs <= maxDelayMs) return { effect: 'queue', reason, notBefore: fact.freeAt };
    const most = `${rules.maxDelay ?? '10m'} ("maxDelay")`;
    return { effect: 'deny', reason: `${reason} It would have to wait longer than ${most}, so it is refused.` };
  };
  return Object.assign(whereConcerned(matching.ofSituation, judge), {
    counts: (input: GateInput) => (matches(input) ? demandOf(input) : null),
  });
}
