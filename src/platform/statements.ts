// The statements of one transaction on one connection, in as few journeys as possible: what needs no answer waits for the next that
// does, and goes with it (the pool's connections are in pg's pipeline mode). Texts that come again are prepared by name.
import type pg from 'pg';

export interface Statements {
  /** Sent with the next statement that is waited for. */
  queue(sql: string, params?: readonly unknown[]): void;
  rows<Row extends object>(sql: string, params: readonly unknown[]): Promise<Row[]>;
  commit(): Promise<void>;
  /** False: the connection is in an unknown state. */
  rollback(): Promise<boolean>;
}

export interface PipelineOptions {
  /** Whether texts that come again are prepared: not for those of lists, whose best plan depends on the values. */
  readonly prepare: boolean;
}

interface Statement {
  readonly sql: string;
  /** Absent: the text is sent as it is, and may hold several statements. */
  readonly params?: readonly unknown[] | undefined;
}

export function pipelined(client: pg.ClientBase, { prepare }: PipelineOptions): Statements {
  let queued: Statement[] = [];
  let isOpen = false;

  /** Answers come in order, so the first error is that of the statement that failed; those after it only say that one did. */
  async function send(last: Statement): Promise<pg.QueryResult> {
    const statements = [...queued, last];
    queued = [];
    isOpen = true;
    const answers = await Promise.all(statements.map(({ sql, params }) => client.query(queryOf(sql, params, prepare))));
    return answers.at(-1)!;
  }

  return {
    queue: (sql, params) => void queued.push({ sql, params }),
    async rows<Row extends object>(sql: string, params: readonly unknown[]) {
      return (await send({ sql, params })).rows as Row[];
    },
    async commit() {
      const { command } = await send({ sql: 'commit' });
      // Postgres answers a commit of a transaction that has failed with a rollback, and no error.
      if (command !== 'COMMIT') throw new Error('a statement of this transaction failed, and its error was caught: nothing was committed');
    },
    async rollback() {
      queued = [];
      if (!isOpen) return true; // not even its beginning was sent
      return send({ sql: 'rollback' }).then(
        () => true,
        () => false,
      );
    },
  };
}

/** Names of prepared statements are per connection; the same text has the same name on all. */
const names = new Map<string, string>();
const uses = new Map<string, number>();
const maxNames = 200;
const maxTexts = 2_000;
const usesBeforePreparing = 5;

function queryOf(text: string, params: readonly unknown[] | undefined, prepare: boolean): pg.QueryConfig {
  if (!params) return { text };
  const name = prepare ? nameOf(text) : undefined;
  return { text, values: [...params], ...(name !== undefined && { name }) };
}

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
