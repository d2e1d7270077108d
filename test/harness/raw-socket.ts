// A WebSocket that says what the test says, message by message, and keeps what it hears.
import { WebSocket, type ClientOptions } from 'ws';
import type { TestServer } from './graphql.ts';

const protocol = 'graphql-transport-ws';

export class RawSocket {
  readonly messages: Record<string, any>[] = [];
  readonly socket: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  #arrived = Promise.withResolvers<void>();

  readonly #key: string;

  constructor({ url, people }: Pick<TestServer, 'url' | 'people'>, protocols: string | string[] = protocol, options: ClientOptions = {}) {
    this.#key = people.operator.adminKey;
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, protocols, options);
    this.socket.on('error', () => undefined); // closing tells the rest
    this.socket.on('message', (data) => {
      this.messages.push(JSON.parse(String(data)) as Record<string, any>);
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers();
    });
    this.closed = new Promise((resolve) => this.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })));
  }

  async open(): Promise<this> {
    if (this.socket.readyState !== WebSocket.OPEN) await new Promise((resolve) => this.socket.once('open', resolve));
    return this;
  }

  async init(payload: Record<string, unknown> = { authorization: `Bearer ${this.#key}` }): Promise<this> {
    await this.open();
    this.send({ type: 'connection_init', payload });
    await Promise.race([this.next('connection_ack'), this.closed]);
    return this;
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  subscribe(id: string, query: string): void {
    this.send({ id, type: 'subscribe', payload: { query } });
  }

  /** The first message of this type (and operation) that has not been taken yet. */
  async next(type: string, id?: string): Promise<Record<string, any>> {
    for (;;) {
      const at = this.messages.findIndex((message) => message['type'] === type && (id === undefined || message['id'] === id));
      if (at >= 0) return this.messages.splice(at, 1)[0]!;
      await this.#arrived.promise;
    }
  }
}
