// Rules that must not be: refused through the API with a typed error that names the place, and nothing is written.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { toGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import { testApi, type Api } from './harness/api.ts';

let api: Api;
before(async () => {
  api = await testApi();
});
after(() => api.close());

const create = `mutation ($input: CreatePolicyInput!) { createPolicy(input: $input) { __typename
  ... on ValidationError { problems { path message } } ... on Error { code message } ... on CreatePolicySuccess { policy { name } } } }`;
const validate = 'query ($document: String!) { validatePolicy(document: $document) { problems { path message line } } }';
const revision = async () =>
  (await api.home.read((uow) => uow.rows<any>('select policy_revision as n from tenants where id = $1', [api.home.tenantId])))[0].n;

const leaf = { path: 'principal', equals: 'x' };
const nested = (levels: number): unknown => Array.from({ length: levels - 1 }).reduce<unknown>((not) => ({ not }), leaf);
const rule = { effect: 'deny', tools: ['*'] };
const hours = { timezone: 'UTC', windows: [{ from: '09:00', to: '17:00' }] };

describe('through the API', () => {
  const cases: [what: string, kind: string, rules: unknown, path: string, message: RegExp][] = [
    ['a condition fifty levels deep', 'TOOL_ACCESS', [{ ...rule, when: nested(50) }], 'rules[0].when', /deeper than 10 levels/],
    ['a regular expression that explodes elsewhere in size', 'CONTENT', [{ effect: 'deny', matches: ['(a{1000}){1000}'] }], 'rules[0].matches[0]', /RE2|too much/], // prettier-ignore
    ['a regular expression with lookaround', 'CONTENT', [{ effect: 'deny', matches: ['(?!x)y'] }], 'rules[0].matches[0]', /lookaround/],
    ['a window of nothing', 'RATE_LIMIT', { count: 'executions', limit: 1, window: '0s' }, 'rules.window', /from 1s to 31d/],
    ['a limit of nothing', 'RATE_LIMIT', { count: 'executions', limit: 0, window: '1m' }, 'rules.limit', />=1/],
    ['hours [25]', 'TIME_WINDOW', { ...hours, windows: [{ from: [25], to: '10:00' }] }, 'rules.windows[0].from', /expected string/],
    [
      'an hour 25:00',
      'TIME_WINDOW',
      { ...hours, windows: [{ from: '25:00', to: '10:00' }] },
      'rules.windows[0].from',
      /from 00:00 to 23:59/,
    ],
    ['an unknown time zone', 'TIME_WINDOW', { ...hours, timezone: 'Europe/Atlantis' }, 'rules.timezone', /is no time zone/],
    ['an approver who does not exist', 'APPROVAL_REQUIRED', [{ approvers: { stages: [{ approvers: [{ principal: 'nobody-here' }] }] } }], 'rules[0].approvers.stages[0].approvers[0]', /nobody-here/], // prettier-ignore
    ['a tool that only looks like one', 'TOOL_ACCESS', [{ ...rule, tools: ['fil\u0435s.read'] }], 'rules[0].tools[0]', /visible ASCII/],
    ['a condition on a name of a tool with a letter of another script', 'TOOL_ACCESS', [{ ...rule, when: { not: { path: 'tool.name', in: ['a.b', 'fil\u0435s.read'] } } }], 'rules[0].when.not', /in no name of a tool/], // prettier-ignore
    ['a condition on a name of a tool with something invisible in it', 'CONTENT', [{ effect: 'deny', words: ['x'], when: { path: 'tool.server', equals: 'fi\u200bles' } }], 'rules[0].when', /in no name of a tool/], // prettier-ignore
    ['rules that are no rules', 'DATA_SCOPE', 'dataset:orders', 'rules', /expected array/],
    [
      'a host that is a URL',
      'DESTINATION',
      [{ effect: 'deny', hosts: ['https://x.test/'] }],
      'rules[0].hosts[0]',
      /no scheme, port or path/,
    ],
  ];
  for (const [what, kind, rules, path, message] of cases) {
    it(`${what} is refused with its place, and nothing is written`, async () => {
      const before_ = await revision();
      const { data, errors } = await api.gql(create, { input: { name: 'bad', kind, rules } }, { as: api.home.admin });
      assert.equal(errors, undefined, JSON.stringify(errors));
      const answer = data!['createPolicy'];
      assert.equal(answer.code, 'VALIDATION_FAILED', JSON.stringify(answer));
      const problem = answer.problems.find((each: { path: string }) => each.path.startsWith(path));
      assert.ok(problem, JSON.stringify(answer.problems));
      assert.match(problem.message, message);
      assert.equal(await revision(), before_);
    });
  }

  it('a quorum larger than the group is refused', async () => {
    const [one, two] = [await api.home.principal([['admin', 'tenant', api.home.tenantId]]), await api.home.principal([['admin', 'tenant', api.home.tenantId]])]; // prettier-ignore
    const approvers = { stages: [{ approvers: [{ principal: one.principalId }, { principal: two.principalId }], quorum: 3 }] };
    const { data } = await api.gql(
      create,
      { input: { name: 'bad', kind: 'APPROVAL_REQUIRED', rules: [{ approvers }] } },
      { as: api.home.admin },
    );
    assert.deepEqual(data!['createPolicy'].problems, [
      { path: 'rules[0].approvers.stages[0].quorum', message: 'is larger than the group: 2 named, so it could never be reached, got 3' },
    ]);
  });

  it("a foreign tenant's agent is as one that does not exist", async () => {
    const foreign = await api.agent([{ id: 'a', transform: '1' }], { home: api.people.other, environments: [api.people.other.staging] });
    const messages = [];
    for (const id of [foreign, newId()]) {
      const input = { name: 'bad', kind: 'TOOL_ACCESS', rules: [rule], scope: { agentId: toGlobalId('Agent', id) } };
      const { data } = await api.gql(create, { input }, { as: api.home.admin });
      assert.equal(data!['createPolicy'].code, 'NOT_FOUND');
      messages.push(data!['createPolicy'].message.replace(id, 'ID'));
    }
    assert.equal(messages[0], messages[1]);
  });

  it('a condition a thousand levels deep is refused before anybody looks at it, in JSON and in a document', async () => {
    const rules = [{ ...rule, when: nested(1_000) }];
    const refusal = async (levels: number) => {
      const input = { name: 'bad', kind: 'TOOL_ACCESS', rules: [{ ...rule, when: nested(levels) }] };
      return (await api.gql(create, { input }, { as: api.home.admin })).errors![0]!;
    };
    assert.match((await refusal(80)).message, /at "input\.rules"; this JSON is nested deeper than 64 levels/);
    assert.equal((await refusal(1_000)).extensions['code'], 'LIMIT_EXCEEDED', 'the request itself');
    const document = JSON.stringify({ name: 'deep', kind: 'tool_access', rules });
    const { data } = await api.gql(validate, { document }, { as: api.home.admin });
    assert.match(data!['validatePolicy'].problems[0].message, /deep/);
    const shallower = JSON.stringify({ name: 'deep', kind: 'tool_access', rules: [{ ...rule, when: nested(50) }] });
    const [problem] = (await api.gql(validate, { document: shallower }, { as: api.home.admin })).data!['validatePolicy'].problems;
    assert.deepEqual([problem.path, problem.message, problem.line], ['rules[0].when', 'must not be nested deeper than 10 levels', 1]);
  });
});
