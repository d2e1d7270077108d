// The statements of one transaction on one connection, in as few journeys as possible: what needs no answer waits for the next that
// does, and what is asked in the same turn of the event loop goes together (statement-batch.ts). Texts that come again are prepared by name.
import type pg from 'pg';
import { StatementBatch, type Statement } from './statement-batch.ts';

export interface Statements {
  /** Sent with the next statement that is waited for. */
  queue(sql: string, params: readonly unknown[]): void;
  rows<Row extends object>(sql: string, params: readonly unknown[]): Promise<Row[]>;
  commit(): Promise<void>;
  /** True when a statement so far has written a row; those that are not sent yet count as writing when they look like it. */
  hasChanged(): boolean;
  /**
   * Of a reader, instead of `commit`. True: the connection is still in a transaction, which has read all that it will and ends with the
   * beginning of the next one, or by `endTransaction`.
   */
  leave(): Promise<boolean>;
  /** False: the connection is in an unknown state. */
  rollback(): Promise<boolean>;
}

export interface TransactionSettings {
  readonly readOnly: boolean;
  /** Of a reader that asks for one thing: its text is prepared as in a writer, and the end travels with it. */
  readonly isLookUp?: boolean;
  /** The connection is in a transaction that was left: it ends in the journey that begins this one. */
  readonly isLeft: boolean;
}

/** A transaction of this tenant. Texts are prepared but where lists are read: the best plan of a list depends on its values. */
export function openTransaction(
  client: pg.ClientBase,
  tenantId: string,
  { readOnly, isLookUp = false, isLeft }: TransactionSettings,
): Statements {
  // The snapshot is of a reader alone, so its level never makes anything wait or fail.
  let waiting: Statement[] = [
    ...(isLeft ? [{ ...commitStatement, answer: () => undefined }] : []),
    readOnly
      ? { text: 'begin isolation level repeatable read read only', values: [], name: 'signalbox_read', answer: () => undefined }
      : { text: 'begin', values: [], name: 'signalbox_begin', answer: () => undefined },
    { text: `select set_config('app.tenant_id', $1, true)`, values: [tenantId], name: 'signalbox_tenant', answer: () => undefined },
  ];
  let isOpen = false;
  let isSending = false;

  let hasQueued = false;
  let hasEnded = false;
  let hasFailed = false;
  let changed = false;
  const note = (result: pg.QueryResult | null) => {
    if (result && writing.has(result.command) && (result.rowCount ?? 0) > 0) changed = true;
  };

  function flush(): void {
    isSending = false;
    const statements = waiting;
    waiting = [];
    if (statements.length > 0) client.query(new StatementBatch(statements, client));
  }

  async function send(text: string, values: readonly unknown[], name?: string): Promise<pg.QueryResult> {
    isOpen = true;
    const { promise, resolve, reject } = Promise.withResolvers<pg.QueryResult>();
    const answer: Statement['answer'] = (error, result) => {
      note(result);
      if (error) {
        hasFailed = true;
        reject(error);
      } else resolve(result!);
    };
    waiting.push({ text, values, name, answer });
    if (!isSending) {
      isSending = true;
      // Behind all promises of this turn: the loaders of one operation ask after different numbers of them.
      process.nextTick(flush);
    }
    try {
      return await promise;
    } catch (error) {
      // The stack of the answer leads to the socket; this one to whoever asked.
      if (error instanceof Error) Error.captureStackTrace(error);
      throw error;
    }
  }

  async function commit(): Promise<void> {
    const { command } = await send(commitStatement.text, [], commitStatement.name);
    // Postgres answers a commit of a transaction that has failed with a rollback, and no error.
    if (command !== 'COMMIT') throw failedBefore();
  }

  const nameFor = (text: string) => (readOnly && !isLookUp ? undefined : nameOf(text));

  return {
    queue(text, values) {
      hasQueued = true;
      // Of a reader it is a setting: no plan depends on its value.
      waiting.push({ text, values, name: nameOf(text), answer: (_error, result) => note(result) });
    },
    hasChanged() {
      return changed || waiting.some(({ text }) => /^\s*(insert|update|delete|merge)\b/i.test(text));
    },
    async rows<Row extends object>(text: string, values: readonly unknown[]) {
      if (hasEnded) throw new Error('a look-up asks for one thing');
      const answered = send(text, values, nameFor(text));
      hasEnded = isLookUp;
      if (isLookUp) waiting.push({ ...commitStatement, answer: () => undefined });
      return (await answered).rows as Row[];
    },
    commit,
    async leave() {
      if (hasFailed) throw failedBefore();
      if (hasEnded) return false;
      if (!hasQueued) return isOpen || isLeft;
      await commit(); // Postgres is to refuse it
      return false;
    },
    async rollback() {
      const unsent = waiting;
      waiting = [];
      for (const { answer } of unsent) answer(new Error('the transaction was rolled back before this statement was sent'), null);
      if (!isOpen && !isLeft) return true; // not even its beginning was sent
      return send('rollback', [], 'signalbox_rollback').then(
        () => true,
        () => false,
      );
    },
  };
}

/** Ends the transaction that a reader has left. */
export async function endTransaction(client: pg.ClientBase): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    client.query(new StatementBatch([{ ...commitStatement, answer: (error) => (error ? reject(error) : resolve()) }], client));
  });
}

const commitStatement = { text: 'commit', values: [], name: 'signalbox_commit' };
const failedBefore = (): Error => new Error('a statement of this transaction failed, and its error was caught: nothing was committed');

const writing: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

/** Names of prepared statements are per connection; the same text has the same name on all. */
const names = new Map<string, string>();
const uses = new Map<string, number>();
const maxNames = 200;
const maxTexts = 2_000;
const usesBeforePreparing = 5;

function nameOf(text: string): string | undefined {
  const name = names.get(text);
  if (name !== undefined || names.size >= maxNames) return name;
  const seen = (uses.get(text) ?? 0) + 1;
  if (seen > usesBeforePreparing) {
    uses.delete(text);
    names.set(text, `signalbox_${names.size}`);
  } else if (seen > 1 || uses.size < maxTexts) uses.set(text, seen);
  return names.get(text);
}
