// The nested read beside other GraphQL servers: fifty executions with agent, approvals and last events, the same rows in one Postgres, by
// the statements of Signalbox where a peer's are written by hand. Answers are compared before anything is measured.
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { document, type Asking } from '../nested/operation.ts';
import { asSignalbox, cursorDocument, cursorIn, document as postgraphileDocument } from '../nested/postgraphile.ts';
import { prepare } from '../nested/prepare.ts';
import type { Part, Table } from '../part.ts';
import { installPeers } from '../peers.ts';
import { production, startContender, type ContenderProcess } from '../process.ts';
import { processorMs } from '../processor.ts';
import { median } from '../statistics.ts';

const connections = 4;
/** Requests, until hardly anything is compiled anew. */
const compiledAfter = 500;

interface Way {
  readonly name: string;
  readonly server: ContenderProcess;
  readonly asking: Asking;
  /** Its data, in the words of Signalbox's. */
  read(data: unknown): unknown;
}

/** Milliseconds of processor time for each request, and how many were answered. */
interface Measured {
  readonly server: number;
  /** Null where the system does not tell. */
  readonly postgres: number | null;
  readonly perSecond: number;
}

export const nested: Part = {
  name: 'nested',
  summary: 'fifty executions with agent, approvals and last events, beside Mercurius + graphql-jit, Yoga and PostGraphile',
  async run(stand, { quick, peers, rounds, roundMs, warmUpMs }, say) {
    if (peers) await installPeers(say);
    const { setup, key, variables, offset } = await prepare(stand, quick ? 2_000 : 10_000, say);
    const opened: ContenderProcess[] = [];
    try {
      const start = async (file: string, input: unknown = setup) => {
        const process = await startContender(new URL(file, import.meta.url), input, [production]);
        opened.push(process);
        return process;
      };
      const asker = await start('../contenders/asker.ts', { connections });
      const answerTo = async (asking: Asking) => (JSON.parse((await asker.ask('one', asking)) as string) as { data: unknown }).data;
      const open = async (name: string, file: string, body: unknown): Promise<Way> => {
        say(`nested: starting ${name}`);
        const server = await start(file);
        return { name, server, asking: { url: (await server.ask('url')) as string, key, body }, read: (data) => data };
      };
      const asText = { query: document, variables };
      const signalbox = await open('Signalbox', '../contenders/gateway.ts', asText);
      const persistedQuery = { version: 1, sha256Hash: createHash('sha256').update(document).digest('hex') };
      const expected = await answerTo(signalbox.asking);
      const persisted = { ...signalbox, asking: { ...signalbox.asking, body: { variables, extensions: { persistedQuery } } } };
      const own = [signalbox, { ...persisted, name: 'Signalbox, persisted' }];
      const others: Way[] = [];
      if (peers) {
        others.push(await open('Mercurius + graphql-jit', '../peers/nested/mercurius.ts', asText));
        others.push(await open('GraphQL Yoga', '../peers/nested/yoga.ts', asText));
        const postgraphile = await open('PostGraphile', '../peers/nested/postgraphile.ts', { query: postgraphileDocument });
        const at = { ...postgraphile.asking, body: { query: cursorDocument, variables: { offset } } };
        const body = { query: postgraphileDocument, variables: { ...variables, after: cursorIn(await answerTo(at)) } };
        others.push({ ...postgraphile, asking: { ...at, body }, read: asSignalbox });
      }
      const ways = [...own, ...others];
      for (const { name, asking, read } of ways) {
        if (!isDeepStrictEqual(read(await answerTo(asking)), expected)) throw new Error(`nested: ${name} answers otherwise than Signalbox`);
      }

      const spent = async (server: ContenderProcess) =>
        [(await server.ask('processorMs')) as number, processorMs([stand.postmasterPid])] as const;
      async function round({ asking, server }: Way, windowMs: number, atLeast: number): Promise<Measured> {
        const before = await spent(server);
        const { answered, elapsedMs } = (await asker.ask('many', { asking, windowMs, atLeast })) as { answered: number; elapsedMs: number };
        const after = await spent(server);
        const ofPostgres = before[1] === null || after[1] === null ? null : (after[1] - before[1]) / answered;
        return { server: (after[0] - before[0]) / answered, postgres: ofPostgres, perSecond: (answered * 1_000) / elapsedMs };
      }
      const seen = new Map<string, Measured[]>(ways.map(({ name }) => [name, []]));
      for (const way of ways) await round(way, warmUpMs, quick ? 1 : compiledAfter);
      for (let number = 1; number <= rounds; number += 1) {
        say(`nested: round ${number} of ${rounds}`);
        for (const way of ways) seen.get(way.name)!.push(await round(way, roundMs, 1));
      }
      const figure = ({ name }: Way, of: keyof Measured): number | null => {
        const values = seen.get(name)!.flatMap((measured) => measured[of] ?? []);
        return values.length === 0 ? null : median(values);
      };
      // Nothing is told of less than a tick of the system's clock.
      const ratio = (a: number | null, b: number | null) => (a && b ? a / b : null);
      const table = (title: string, of: keyof Measured, target: string | null = null): Table => ({
        ...{ title, format: 'ratio', columns: ['as text', 'persisted'] },
        rows: [...others, own[0]!].map((way) => ({
          what: way === own[0] ? 'Signalbox : itself, as text' : `Signalbox : ${way.name}`,
          values: own.map((each) => ratio(figure(each, of), figure(way, of))),
          target: way === others[0] ? target : null,
        })),
      });
      const figures = (way: Way) => [
        way.name,
        { serverMs: figure(way, 'server'), postgresMs: figure(way, 'postgres'), perSecond: figure(way, 'perSecond') },
      ];
      return {
        tables: [
          table('Nested read: processor time of the server per request; lower is better', 'server', '≤1'),
          table('Nested read: processor time of Postgres per request; lower is better', 'postgres'),
          table(`Nested read: requests per second over ${connections} connections; higher is better`, 'perSecond'),
        ],
        machineSpecific: Object.fromEntries(ways.map(figures)),
      };
    } finally {
      for (const process of opened) await process.close();
    }
  },
};
