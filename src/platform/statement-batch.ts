// Several statements to Postgres as one message exchange: one write to the socket, one answer (extended query protocol, one Sync at the
// end). The driver knows this for one statement only; each is one of its queries here, which does the protocol's details.
import pg from 'pg';

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
  /** Prepared under this name on each connection that meets it. */
  readonly name?: string | undefined;
  /** Called once; with an error when this statement or one before it failed. */
  readonly answer: (error: Error | null, result: pg.QueryResult | null) => void;
}

/** What the driver calls on a query that is being answered. */
interface Answered {
  readonly name?: string | undefined;
  readonly text: string;
  submit(connection: pg.Connection): Error | null;
  handleRowDescription(message: unknown): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: pg.Connection): void;
  handleEmptyQuery(connection: pg.Connection): void;
  handleReadyForQuery(connection: pg.Connection): void;
}
/** What the driver knows to be prepared, and what it has asked for. */
type Named = pg.Connection & Record<'parsedStatements' | 'submittedNamedStatements', Record<string, string>>;

/** For `client.query`. After an error Postgres skips the rest of the batch: its statements fail with that error. */
export class StatementBatch implements pg.Submittable {
  readonly #statements: readonly Statement[];
  readonly #queries: readonly Answered[];
  #connection: Named | null = null;
  /** The statement whose answer is awaited. */
  #at = 0;
  /** Why the statement after the last one sent could not be. */
  #unsendable: Error | null = null;

  constructor(statements: readonly Statement[], types: pg.CustomTypesConfig) {
    this.#statements = statements;
    this.#queries = statements.map(({ text, values, name }, index) => {
      const config = { text, values: [...values], name, types, queryMode: 'extended', callback: this.#answer(index) };
      return new pg.Query(config) as unknown as Answered;
    });
  }

  /** Of the statement being answered: by these the driver remembers what is prepared. */
  get name(): string | undefined {
    return this.#queries[this.#at]?.name;
  }
  get text(): string | undefined {
    return this.#queries[this.#at]?.text;
  }

  submit(connection: pg.Connection): void {
    this.#connection = connection as Named;
    // A query writes each of its messages by itself and ends with a Sync; here all of them are one piece, with one Sync at its end.
    const pieces: Uint8Array[] = [];
    const { stream } = connection;
    const collector = { writable: stream.writable, write: (piece: Uint8Array) => pieces.push(piece), cork() {}, uncork() {} };
    const whole = Object.create(connection, { stream: { value: collector } }) as pg.Connection;
    const open = Object.create(whole, { sync: { value: () => undefined } }) as pg.Connection;
    for (const query of this.#queries) {
      this.#unsendable = query.submit(open) ?? this.#unsendable;
      if (this.#unsendable) break;
    }
    whole.sync();
    stream.write(Buffer.concat(pieces));
  }

  handleRowDescription(message: unknown): void {
    this.#queries[this.#at]!.handleRowDescription(message);
  }
  handleDataRow(message: unknown): void {
    this.#queries[this.#at]!.handleDataRow(message);
  }
  handleCommandComplete(message: unknown, connection: pg.Connection): void {
    const query = this.#queries[this.#at]!;
    query.handleCommandComplete(message, connection);
    this.#at += 1;
    query.handleReadyForQuery(connection);
  }
  handleEmptyQuery(): void {
    this.#fail(new Error('a statement without text'));
  }
  /** Everything that was sent has been answered. */
  handleReadyForQuery(): void {
    if (!this.#unsendable) return;
    const { name } = this.#queries[this.#at]!;
    if (name !== undefined) delete this.#connection?.parsedStatements[name]; // the driver closed it
    this.#fail(this.#unsendable);
  }
  handleError(error: Error): void {
    this.#fail(error);
  }

  #answer(index: number) {
    return (error: Error | null, result: pg.QueryResult) => {
      if (!error) this.#statements[index]!.answer(null, result);
      else if (this.#at > index)
        this.#statements[index]!.answer(error, null); // its rows could not be read
      else this.#unsendable = error; // the driver makes values to text as it sends them
    };
  }

  #fail(error: Error): void {
    const from = this.#at;
    this.#at = this.#queries.length;
    for (const { name, answer } of this.#statements.slice(from)) {
      // Postgres has perhaps not even read them: they are to be prepared again.
      if (name !== undefined) delete this.#connection?.submittedNamedStatements[name];
      answer(error, null);
    }
  }
}
