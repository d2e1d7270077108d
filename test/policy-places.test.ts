// Where policies apply and what they make together: the nearest place counts, effects combine, rollouts are stable, memory never lies.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ApprovalTerms } from '#src/approvals/approval-terms.ts';
import { approvalTerms, combine, evaluateGate } from '#src/rules/evaluate.ts';
import type { GateInput, PolicyFinding } from '#src/rules/gate.ts';
import { bySituation, type Opinion, type PolicySource } from '#src/rules/judge.ts';
import { everywhere, isRolledOut, placesOf } from '#src/rules/policy-places.ts';
import { compilePolicies, policySet } from '#src/rules/policy-set.ts';
import type { PolicyAttachment, PolicyScope } from '#src/rules/policy.ts';
import { newId } from '#src/platform/ids.ts';
import { toolCall } from './harness/governance.ts';

const at = (scope: Partial<PolicyScope>): PolicyScope => ({ ...everywhere, ...scope });
function policy(change: Partial<PolicySource> = {}): PolicySource {
  const rules = [{ effect: 'deny', tools: ['*'] }];
  return { id: newId(), name: 'p', version: 1, kind: 'tool_access', mode: 'enforce', priority: 100, scope: everywhere, rules, ...change };
}
const judge = (policies: readonly PolicySource[], input: GateInput) => evaluateGate(compilePolicies(policies), input);
const here: Partial<GateInput> = { teamId: 'team', agentTags: ['ops', 'night'] };

test('of the places of a policy that cover an effect the nearest counts: agent, tool, tag, team, environment, project, tenant', () => {
  const nearerAndNearer: Partial<PolicyScope>[] = [
    {},
    { projectId: 'project' },
    { projectId: 'project', environmentId: 'environment' },
    { teamId: 'team' },
    { teamId: 'team', projectId: 'project' },
    { tag: 'ops' },
    { tool: 'files.*' },
    { tool: 'files.*', tag: 'ops' },
    { projectId: 'project', agentId: 'agent' },
    { projectId: 'project', agentId: 'agent', tool: 'files.write_file' },
  ];
  for (let near = 1; near < nearerAndNearer.length; near += 1) {
    for (let far = 0; far < near; far += 1) {
      const attachments: PolicyAttachment[] = [{ scope: at(nearerAndNearer[near]!), mode: 'observe' }];
      const one = policy({ scope: at(nearerAndNearer[far]!), attachments });
      assert.equal(judge([one], toolCall(here)).effect, 'allow', `${near} is nearer than ${far}`);
      const other = policy({ scope: at(nearerAndNearer[near]!), attachments: [{ scope: at(nearerAndNearer[far]!), mode: 'observe' }] });
      assert.equal(judge([other], toolCall(here)).effect, 'deny', `${far} is farther than ${near}`);
    }
  }
});

test('of equally near places the stricter mode counts, then the lower priority number; one finding per policy', () => {
  const tie = policy({
    scope: at({ tag: 'ops' }),
    mode: 'observe',
    attachments: [
      { scope: at({ tag: 'night' }), mode: 'enforce', priority: 9 },
      { scope: at({ tag: 'day' }), mode: 'enforce', priority: 1 },
    ],
  });
  const verdict = judge([tie], toolCall(here));
  assert.deepEqual([verdict.effect, verdict.findings.length], ['deny', 1]);
  const [first] = placesOf(policy({ scope: at({ tag: 'a' }), attachments: [{ scope: at({ tag: 'b' }), priority: 5 }] }));
  assert.deepEqual([first!.priority, first!.attachment], [5, 0]);
});

test('an attachment that is switched off is an exception, and only there; elsewhere mode and priority are those of the policy', () => {
  const excepted = policy({ attachments: [{ scope: at({ projectId: 'project', agentId: 'agent' }), enabled: false }] });
  assert.deepEqual(judge([excepted], toolCall()).findings, []);
  assert.equal(judge([excepted], toolCall({ agentId: 'another' })).effect, 'deny');
  const elsewhere = policy({ scope: at({ projectId: 'other' }), attachments: [{ scope: at({ tool: 'files.*' }) }] });
  assert.equal(judge([elsewhere], toolCall()).effect, 'deny');
  assert.equal(judge([elsewhere], toolCall({}, { name: 'mail.send' })).effect, 'allow');
});

test('the priority of the place that counts orders the reasons', () => {
  const named = (name: string, priority: number, nearer?: number) =>
    policy({
      name,
      priority,
      ...(nearer !== undefined && { attachments: [{ scope: at({ projectId: 'project', agentId: 'agent' }), priority: nearer }] }),
    });
  const verdict = judge([named('a', 1, 50), named('b', 20), named('c', 60, 5)], toolCall());
  assert.deepEqual(
    verdict.findings.map(({ policyName }) => policyName),
    ['c', 'b', 'a'],
  );
});

const anyScope = fc.record({
  projectId: fc.constantFrom(null, null, 'project', 'other'),
  environmentId: fc.constantFrom(null, null, 'environment', 'other'),
  agentId: fc.constantFrom(null, null, 'agent', 'other'),
  teamId: fc.constantFrom(null, null, 'team', 'other'),
  tag: fc.constantFrom(null, null, 'ops', 'other'),
  tool: fc.constantFrom(null, null, 'files.*', 'files.write_file', 'mail.*', '*.send'),
});
const anyInput = fc
  .record({
    projectId: fc.constantFrom('project', 'other'),
    environmentId: fc.constantFrom('environment', 'other'),
    agentId: fc.constantFrom('agent', 'other'),
    teamId: fc.constantFrom(null, 'team', 'other'),
    agentTags: fc.subarray(['ops', 'other', 'x']),
    arguments: fc.record({ amount: fc.integer({ min: 0, max: 3 }) }),
    executionId: fc.constantFrom('one', 'two', 'three', 'four', null),
    name: fc.constantFrom('files.write_file', 'mail.send', null),
    risk: fc.constantFrom('low' as const, 'high' as const),
  })
  .map(({ name, risk, ...rest }) =>
    name === null
      ? toolCall({ ...rest, action: 'execution.start', tool: null })
      : toolCall({ ...rest, agentTools: [name] }, { name, risk }),
  );

test('law: the index finds exactly the policies of which a place covers the effect', () => {
  const anyPolicy = fc
    .record({ scope: anyScope, attachments: fc.array(fc.record({ scope: anyScope, enabled: fc.boolean() }), { maxLength: 3 }) })
    .map(({ scope, attachments }) => policy({ scope, attachments }));
  fc.assert(
    fc.property(fc.array(anyPolicy, { maxLength: 8 }), anyInput, (policies, input) => {
      const found = policySet(policies.map((source) => ({ source, judge: () => null }))).inForce(input);
      const expected = policies.filter((each) => placesOf(each).find((place) => place.covers(input))?.enabled === true);
      assert.deepEqual(new Set(found.map(({ source }) => source.id)), new Set(expected.map(({ id }) => id)));
    }),
    { numRuns: 1_000 },
  );
});

test('law: a set that has judged before answers as a fresh one does, whatever its judges look at', () => {
  const deny = (reason: string): Opinion => ({ effect: 'deny', reason });
  const judges = [
    bySituation(({ tool }) => (tool?.risk === 'high' ? deny('risk') : null)),
    bySituation(({ action }) => (action === 'execution.start' ? deny('start') : null)),
    bySituation(({ tool }) => {
      if (tool?.name === 'mail.send') throw new Error('broken');
      return null;
    }),
    (input: GateInput) => ((input.arguments as { amount: number }).amount > 1 ? deny('amount') : null),
    (input: GateInput) => {
      if ((input.arguments as { amount: number }).amount === 0) throw new Error('no amount');
      return null;
    },
  ];
  const anyCompiled = fc
    .record({ scope: anyScope, judge: fc.constantFrom(...judges), percent: fc.constantFrom(null, 0, 40, 100) })
    .map(({ scope, judge: each, percent }) => ({
      source: policy({ scope, rollout: percent === null ? null : { percent, maxDenialPercent: null, windowMs: 1 } }),
      judge: each,
    }));
  fc.assert(
    fc.property(fc.array(anyCompiled, { maxLength: 5 }), fc.array(anyInput, { minLength: 2, maxLength: 20 }), (policies, inputs) => {
      const set = policySet(policies);
      for (const input of inputs) assert.deepEqual(evaluateGate(set, input), evaluateGate(policySet(policies), input));
    }),
    { numRuns: 500 },
  );
});

test('a rollout reaches its share of executions, always the same ones, and more of them as the share grows', () => {
  const executions = Array.from({ length: 4_000 }, () => newId());
  const reached = (percent: number, id = 'policy') => executions.filter((execution) => isRolledOut({ percent }, id, execution));
  assert.deepEqual([reached(0).length, reached(100).length], [0, executions.length]);
  for (const percent of [1, 10, 50, 90]) assert.ok(Math.abs(reached(percent).length / 40 - percent) < 4, `${percent} %`);
  const few = new Set(reached(10));
  assert.ok(reached(30).filter((execution) => few.has(execution)).length === few.size);
  assert.ok(reached(10, 'another').filter((execution) => few.has(execution)).length < few.size / 2);

  const half = policy({ id: 'policy', rollout: { percent: 50, maxDenialPercent: null, windowMs: 3_600_000 } });
  const set = compilePolicies([half]);
  const inside = new Set(reached(50));
  for (const executionId of executions.slice(0, 200)) {
    const verdict = evaluateGate(set, toolCall({ executionId }));
    assert.equal(verdict.effect, inside.has(executionId) ? 'deny' : 'allow');
    assert.equal(verdict.findings[0]!.mode, inside.has(executionId) ? 'enforce' : 'observe');
  }
});

test('a policy that cannot be evaluated says what its onError says, marked as failed; high and critical risk is refused anyhow', () => {
  const broken = (onError: 'allow' | 'deny') => policySet([{ source: policy({ onError }), judge: () => assert.fail('bug') }]);
  const effects = (onError: 'allow' | 'deny') =>
    (['low', 'medium', 'high', 'critical'] as const).map((risk) => evaluateGate(broken(onError), toolCall({}, { risk })).effect);
  assert.deepEqual(effects('allow'), ['allow', 'allow', 'deny', 'deny']);
  assert.deepEqual(effects('deny'), ['deny', 'deny', 'deny', 'deny']);
  const start = evaluateGate(broken('deny'), toolCall({ action: 'execution.start', tool: null }));
  assert.deepEqual([start.effect, start.findings[0]!.failed], ['deny', true]);
  assert.match(start.reasons[0]!, /could not be evaluated \(bug\); its "onError" is "deny", so effects without a tool are refused/);
  const endless = policySet([{ source: policy(), judge: () => ({ effect: 'delay', reason: 'later' }) }]);
  assert.equal(evaluateGate(endless, toolCall()).effect, 'deny', 'a delay without a moment is a failure');
});

const finding = (change: Partial<PolicyFinding>): PolicyFinding => ({
  policyId: 'id',
  policyName: 'p',
  version: 1,
  kind: 'tool_access',
  mode: 'enforce',
  effect: 'allow',
  reason: change.effect ?? 'allow',
  ...change,
});

test('effects combine: deny, then approval, then the latest moment, then warnings, then allow', () => {
  const early = finding({ effect: 'delay', reason: 'early', notBefore: '2026-11-21T10:00:00.000Z' });
  const late = finding({ effect: 'queue', reason: 'late', notBefore: '2026-11-21T12:00:00+01:00' });
  const [warn, ask, deny] = [finding({ effect: 'warn' }), finding({ effect: 'require_approval' }), finding({ effect: 'deny' })];
  const brief = (...findings: PolicyFinding[]) => {
    const { effect, notBefore, warnings } = combine([], findings);
    return [effect, notBefore, warnings];
  };
  assert.deepEqual(brief(), ['allow', undefined, undefined]);
  assert.deepEqual(brief(finding({})), ['allow', undefined, undefined]);
  assert.deepEqual(brief(warn, finding({})), ['warn', undefined, ['warn']]);
  assert.deepEqual(brief(late, warn), ['queue', late.notBefore, ['warn']]);
  assert.deepEqual(brief(late, early), ['delay', late.notBefore, undefined]);
  assert.deepEqual(brief(late, ask), ['require_approval', late.notBefore, undefined]);
  assert.deepEqual(brief(late, ask, deny, warn), ['deny', undefined, ['warn']]);
  assert.deepEqual(combine([], [late, early]).reasons, ['late', 'early']);
  assert.deepEqual(combine(['refused'], [deny]).reasons, ['refused', 'deny']);
});

test('injected findings never change the effect; their reasons are put in front of the output, unless they allow', () => {
  const inject = (effect: PolicyFinding['effect']) => finding({ mode: 'inject', effect, notBefore: '2026-11-21T10:00:00.000Z' });
  const verdict = combine([], [inject('deny'), inject('allow'), inject('require_approval'), inject('delay'), inject('warn')]);
  assert.equal(verdict.effect, 'allow');
  assert.deepEqual(verdict.injections, ['deny', 'require_approval', 'delay', 'warn']);
  assert.equal(verdict.notBefore, undefined);
  const observed = combine([], [finding({ mode: 'observe', effect: 'deny' })]);
  assert.deepEqual([observed.effect, observed.injections], ['allow', undefined]);
});

test('a kill switch refuses before everything else, with its reason', () => {
  const stopped = toolCall({ killSwitches: [{ id: 'k1', reason: 'incident 7' }] });
  const verdict = judge([policy({ rules: [{ effect: 'allow', tools: ['*'] }] })], stopped);
  assert.equal(verdict.effect, 'deny');
  assert.match(verdict.reasons[0]!, /^A kill switch stops this: incident 7 \(k1\)/);
  assert.equal(judge([], toolCall({ killSwitches: [] })).effect, 'allow');
});

test('the terms of several policies become one: all stages once, everybody excluded, the soonest escalation, the earliest warning', () => {
  const asks = (terms: ApprovalTerms) => finding({ effect: 'require_approval', terms });
  const security = { name: 'security', approvers: [{ team: 't1' }, { role: 'reviewer' as const }], quorum: 2 };
  const verdict = combine([], [
    asks({ stages: [security], escalation: { afterMs: 60, approvers: [{ team: 'late' }] }, warnBeforeMs: 5 }),
    asks({ stages: [] }),
    asks({
      stages: [{ ...security, name: 'again', approvers: security.approvers.toReversed() }, { ...security, quorum: 1 }],
      excludeOwner: true,
      escalation: { afterMs: 30, approvers: [{ team: 'soon' }] },
      warnBeforeMs: 9,
    }),
  ]); // prettier-ignore
  assert.deepEqual(approvalTerms(verdict).terms, {
    stages: [security, { ...security, quorum: 1 }],
    excludeOwner: true,
    escalation: { afterMs: 30, approvers: [{ team: 'soon' }] },
    warnBeforeMs: 9,
  });
  assert.equal(approvalTerms(combine([], [finding({ effect: 'require_approval' })])).terms, undefined);
});
