// What parsed documents take in memory, whatever their text is: no more than documentCacheBytes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createDocuments, hashOf, type Documents } from '#gateway/documents.ts';
import { schema } from '#gateway/schema.ts';
import { loadConfig } from '#src/config.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const { limits } = loadConfig({ env: {} });

const heapAfterCollecting = () => {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
};

// Each token is a node of its own: 122 and 180 bytes for each character.
for (const [name, values] of [
  ['numbers of one digit', '1 '.repeat(1_960)],
  ['empty lists', '[] '.repeat(980)],
] as const) {
  test(`${name}: what is kept stays within documentCacheBytes`, () => {
    const documentCacheBytes = 8 * 1024 * 1024;
    const open = () =>
      createDocuments({ schema, introspection: false, registered: [], onlyRegistered: false, limits: { ...limits, documentCacheBytes } });
    const text = (n: number) =>
      `mutation q${n} { startExecution(input: { agentId: "x", environmentId: "y", inputs: [${values}] }) { __typename } }`;
    const prepare = (documents: Documents, n: number) => assert.ok('document' in documents.prepare({ query: text(n) }));
    const warm = open(); // what is compiled stays, too
    for (let n = 0; n < 10; n++) prepare(warm, n);
    const documents = open();
    const before = heapAfterCollecting();
    for (let n = 0; n < 60; n++) prepare(documents, n);
    const kept = heapAfterCollecting() - before;
    assert.ok(kept <= documentCacheBytes && kept > documentCacheBytes / 10, `${kept} bytes of ${documentCacheBytes}`);
    assert.ok(warm.find(hashOf(text(9))));
    assert.deepEqual([documents.find(hashOf(text(0))), documents.find(hashOf(text(59))) === undefined], [undefined, false]);
  });
}
