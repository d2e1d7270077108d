// Arguments that are found wrong while the cost is computed: an answer to that operation over every transport, and to nothing else.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { builder } from '#schema/builder.ts';
import { newId } from '#src/platform/ids.ts';
import { askStream } from '#test/harness/event-stream.ts';
import { eventually } from '#test/harness/eventually.ts';
import { probe } from '#test/harness/gateway-fields.ts';
import type { TestServer } from '#test/harness/graphql.ts';
import { RawSocket } from '#test/harness/raw-socket.ts';

builder.queryField('testUncountable', (t) =>
  t.string({
    description: 'Its cost cannot be computed.',
    authScopes: { authenticated: true },
    complexity: () => {
      throw new Error('the password is hunter2');
    },
    resolve: () => '',
  }),
);
const { testServer } = await import('#test/harness/graphql.ts');

let server: TestServer;
before(async () => {
  server = await testServer();
});
after(() => server.close());

const ids = JSON.stringify(Array.from({ length: 101 }, () => 'x'));
const cases: [name: string, query: string, status: number, code: string, message: RegExp][] = [
  ['too many ids', `{ nodes(ids: ${ids}) { id } }`, 400, 'VALIDATION_FAILED', /^ids: .*100/],
  [
    'an id that is none',
    '{ executions(filter: { projectId: "junk" }) { edges { cursor } } }',
    400,
    'VALIDATION_FAILED',
    /^filter\.projectId: /,
  ],
  ['a cost that cannot be computed', '{ testUncountable }', 500, 'INTERNAL', /^internal error; .* trace id/],
];
for (const [name, query, status, code, message] of cases)
  test(`${name}: the operation is refused over every transport, and the other subscription of the socket lives`, async () => {
    const check = (errors: readonly { message: string; extensions: Record<string, any> }[] | undefined) => {
      assert.equal(errors?.[0]!.extensions['code'], code);
      assert.match(errors[0].message, message);
    };
    const overHttp = await server.gql(query);
    assert.equal(overHttp.status, status);
    check(overHttp.errors);

    const stream = await askStream(server, { query });
    await stream.done;
    assert.deepEqual([stream.response.status, stream.response.headers.get('content-type')], [200, 'text/event-stream; charset=utf-8']);
    check(stream.results()[0]!.errors);
    assert.equal(stream.blocks.at(-1), 'event: complete\ndata: ');

    const socket = await new RawSocket(server).init();
    const source = newId();
    socket.subscribe('live', `subscription { testTicks(name: "${source}") { n } }`);
    await eventually(() => probe.sources.has(source));
    socket.subscribe('wrong', query);
    const answer = await Promise.race([socket.next('error', 'wrong'), socket.closed]);
    check((answer as Record<string, any>)['payload']);
    probe.sources.get(source)!.push(7);
    assert.equal((await socket.next('next', 'live'))['payload'].data.testTicks.n, 7);
    socket.socket.close();
    await socket.closed;
  });
