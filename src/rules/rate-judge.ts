// What a rate limit says of an effect, from what its counter said (`input.rates`). Pure; the counting stands in rate-store.ts.
import { parseDuration } from '../platform/duration.ts';
import type { GateInput, RateFact } from './gate.ts';
import type { Judge, Opinion, PolicySource, RateDemand } from './judge.ts';
import { defaultMaxQueueMs, type RateLimitRules, type RatePart } from './rate-rules.ts';

const actionsOf: Record<RateLimitRules['count'], readonly string[]> = {
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

/** `matches`: the conditions of the rules that every kind has. */
export function compileRateLimit(source: PolicySource, rules: RateLimitRules, matches: (input: GateInput) => boolean): Judge {
  const windowMs = parseDuration(rules.window)!;
  const maxDelayMs = (rules.maxDelay === undefined ? null : parseDuration(rules.maxDelay)) ?? defaultMaxQueueMs;
  const actions = actionsOf[rules.count];
  const parts = rules.per.map((part) => partOf[part]);
  const counts = (input: GateInput): RateDemand | null => {
    if (!actions.includes(input.action) || !matches(input)) return null;
    return { policyId: source.id, key: JSON.stringify(parts.map((part) => part(input))), limit: rules.limit, windowMs };
  };
  const what = `${rules.limit} ${nouns[rules.count][rules.limit === 1 ? 0 : 1]}`;
  const each = rules.per.length === 0 ? '' : ` for each ${rules.per.join(' and ')}`;
  const allows = `Policy "${source.name}" allows ${what} in ${rules.window}${each}`;
  const said = rules.message === undefined ? '' : ` ${rules.message}`;

  const judge = (input: GateInput): Opinion | null => {
    const demand = counts(input);
    if (demand === null) return null;
    const fact = factFor(demand, input);
    if (Date.parse(fact.freeAt) <= Date.parse(input.at)) return null;
    const reason = `${allows}, and that many were made or wait for their turn; the next is possible from ${fact.freeAt}.${said}`;
    if (rules.onViolation === 'warn') return { effect: 'warn', reason };
    if (rules.onViolation === 'reject') return { effect: 'deny', reason };
    const waitsMs = Date.parse(fact.freeAt) - Date.parse(fact.askedAt ?? input.at);
    if (waitsMs <= maxDelayMs) return { effect: 'queue', reason, notBefore: fact.freeAt };
    const most = `${rules.maxDelay ?? '10m'} ("maxDelay")`;
    return { effect: 'deny', reason: `${reason} It would have to wait longer than ${most}, so it is refused.` };
  };
  return Object.assign(judge, { counts });
}

/** A number that was kept for another limit or window says nothing about this one: that is for the policy's failure mode. */
function factFor({ policyId, key, limit, windowMs }: RateDemand, { rates }: GateInput): RateFact {
  const fact = rates?.[policyId];
  if (!fact) throw new Error('nobody has read its counter');
  if (fact.key !== key || fact.limit !== limit || fact.windowMs !== windowMs) throw new Error('its counter was read for other rules');
  return fact;
}
