// Who is told the schema: introspection, and suggestions of names in errors, by the mode or as the operator says, over every transport.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getIntrospectionQuery } from 'graphql';
import { loadConfig } from '#src/config.ts';
import { askStream } from '#test/harness/event-stream.ts';
import { testServer, type TestServer, type TestServerSettings } from '#test/harness/graphql.ts';

/** What a client is answered over HTTP, a WebSocket and an event stream. */
async function everywhere(server: TestServer, query: string, variables: Record<string, unknown> = {}): Promise<string[]> {
  const http = await server.gql(query, variables);
  const socket: unknown = await server
    .subscribe(query, variables)
    .next()
    .catch((errors: unknown) => errors);
  const stream = await askStream(server, { query, variables });
  await stream.done;
  const answers = [http, socket, stream.results()[0]].map((answer) => JSON.stringify(answer));
  return query.startsWith('subscription ($') ? answers.slice(1) : answers; // by HTTP it is refused as such
}

const cases: [settings: TestServerSettings, isTold: boolean][] = [
  [{ isProduction: false }, true],
  [{ isProduction: true }, false],
  [{ isProduction: true, introspection: true }, true],
  [{ isProduction: false, introspection: false }, false],
];
for (const [settings, isTold] of cases) {
  test(`${JSON.stringify(settings)}: the schema is ${isTold ? '' : 'not '}told`, async () => {
    const server = await testServer(settings);
    try {
      for (const query of ['{ __schema { types { name } } }', '{ __type(name: "Query") { name } }'])
        for (const answer of await everywhere(server, query))
          assert.equal(/introspection is off on this server; its operator can allow it/.test(answer), !isTold, answer);
      const wrong = [
        '{ testThing { id } }',
        '{ testEcho(valu: 1) }',
        'subscription { testTick(name: "x") { n } }',
        '{ node(id: "x") { ... on Agen { id } } }',
      ];
      for (const query of wrong)
        for (const answer of await everywhere(server, query)) {
          assert.match(answer, /Cannot query field|Unknown (argument|type)/);
          assert.equal(/Did you mean/.test(answer), isTold, answer);
        }
      // Wrong variables are found while executing.
      const inputs = 'query ($f: ExecutionFilter) { executions(filter: $f) { edges { cursor } } }';
      const subscribed = 'subscription ($f: TenantEventFilter) { tenantEvents(filter: $f) { cursor } }';
      for (const variables of [
        { f: { statu: ['FAILED'] } },
        { f: { status: ['FAILE'] } },
        { f: { typ: [] } },
        { f: { types: ['EXECUTION_FAILE'] } },
      ])
        for (const answer of await everywhere(server, JSON.stringify(variables).includes('typ') ? subscribed : inputs, variables)) {
          assert.match(answer, /got invalid value/);
          assert.equal(/Did you mean/.test(answer), isTold, answer);
        }
    } finally {
      await server.close();
    }
  });
}

test('the schema costs so much that an operation may ask for it as tools do, not again and again', async () => {
  const { limits } = loadConfig({ env: {} });
  const server = await testServer({ limits });
  try {
    const whole = getIntrospectionQuery({ ...{ specifiedByUrl: true, directiveIsRepeatable: true }, ...{ schemaDescription: true, inputValueDeprecation: true, oneOf: true } }); // prettier-ignore
    const answer = await server.gql(whole);
    assert.equal(answer.errors, undefined);
    assert.deepEqual((answer as { extensions?: unknown }).extensions, { cost: { requested: 10_000, limit: limits.queryCost } });
    const asked = (n: number) =>
      `{ ${Array.from({ length: n - 1 }, (_, i) => `a${i}: __type(name: "Query") { name }`).join(' ')} ... on Query { ...A } } fragment A on Query { __schema { queryType { name } } }`;
    assert.equal((await server.gql(asked(5))).errors, undefined);
    for (const refused of await everywhere(server, asked(6))) assert.match(refused, /"name":"queryCost","requested":60000,"allowed":50000/);
  } finally {
    await server.close();
  }
});
