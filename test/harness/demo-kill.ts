// Preloaded into a demo (`node --import`): kills its own process, as kill -9 does, at an exact point between two of its effects.
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import pg from 'pg';

export type KillPoint =
  /** At the nth statement that matches: before it is sent, when its answer has come, or when its transaction is committed; nobody is told. */
  | { readonly sql: string; readonly nth?: number; readonly when: 'before' | 'after' | 'committed' }
  /** At the nth call of a tool: before it is sent, or when the file it writes is there and its answer is not read yet. */
  | { readonly tool: string; readonly nth?: number; readonly when: 'before' | 'after'; readonly file?: string };

const point = JSON.parse(process.env['SIGNALBOX_TEST_KILL']!) as KillPoint;
const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('killed');
};
let seen = 0;
if (!process.argv[1]?.endsWith('signalbox.ts')) throw new Error('this is for the demo only');
if ('sql' in point) killAtStatement(point);
else killAtCall(point);

/** A batch has a stream of its own in front of the connection; what the connection has prepared is one object all along. */
type Known = pg.Connection & { readonly parsedStatements: object };

/** The driver's queries, alone or as parts of a batch. */
interface Sent {
  readonly text?: string;
  submit(connection: Known): unknown;
  handleReadyForQuery(connection: pg.Connection): void;
}

function killAtStatement({ sql, nth = 1, when }: Extract<KillPoint, { sql: string }>): void {
  const pattern = new RegExp(sql, 'i');
  const committing = new WeakSet<object>();
  // The mapper brings a copy of its own.
  const ofMapper = createRequire(import.meta.resolve('@mikro-orm/postgresql'))('pg') as typeof pg;
  for (const { prototype } of new Set([pg.Query, ofMapper.Query])) {
    const query = prototype as unknown as Sent;
    const { submit } = query;
    query.submit = function (this: Sent, connection) {
      const text = this.text ?? '';
      const isPoint = pattern.test(text) && ++seen === nth;
      if (isPoint && when === 'before') die();
      if (isPoint && when === 'committed') committing.add(connection.parsedStatements);
      const isLast = (isPoint && when === 'after') || (committing.has(connection.parsedStatements) && /^commit/i.test(text));
      if (isLast) this.handleReadyForQuery = die;
      return submit.call(this, connection);
    };
  }
}

function killAtCall({ tool, nth = 1, when, file }: Extract<KillPoint, { tool: string }>): void {
  const call = `"method":"tools/call","params":{"name":"${tool}"`;
  const write = Socket.prototype.write;
  Socket.prototype.write = function (this: Socket, ...args: Parameters<typeof write>) {
    const isPoint = typeof args[0] === 'string' && args[0].includes(call) && ++seen === nth;
    if (isPoint && when === 'before') die();
    const written = write.apply(this, args);
    if (isPoint) {
      while (file !== undefined && !statSync(file, { throwIfNoEntry: false })?.size); // the server is another process
      die();
    }
    return written;
  } as typeof Socket.prototype.write;
}
