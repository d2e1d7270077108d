// What connections may take without doing anything useful: being open without having introduced themselves, idling, sending messages without
// end; and how many event streams one may have.
import type { WebSocket } from 'ws';
import type { Clock } from '#src/platform/clock.ts';
import { LimitExceededError } from '#src/platform/errors.ts';
import type { GatewayLimits } from './limits.ts';
import { createRates } from './rates.ts';

/** Sockets that have not introduced themselves, all of them and for each address. */
export interface Strangers {
  /** Throws LimitExceededError when there is no place for one more. */
  requirePlace(address: string): void;
  /** Returns what gives the place back. */
  take(address: string): () => void;
}

export function createStrangers({ wsMaxUninitialized, wsMaxUninitializedPerAddress }: GatewayLimits): Strangers {
  const [places, all] = [new Places(), new Places()];
  const requireBelow = (name: 'wsMaxUninitialized' | 'wsMaxUninitializedPerAddress', count: number, whose: string, allowed: number) => {
    if (count < allowed) return;
    const message = `${count} sockets ${whose} have not introduced themselves, the most that may wait to; send connection_init on those that are open, and try again later`;
    throw new LimitExceededError(message, { name, requested: count + 1, allowed });
  };
  return {
    requirePlace(address) {
      requireBelow('wsMaxUninitialized', all.taken(''), 'of this server', wsMaxUninitialized);
      requireBelow('wsMaxUninitializedPerAddress', places.taken(address), 'from your address', wsMaxUninitializedPerAddress);
    },
    take(address) {
      const back = [places.take(address), all.take('')];
      return () => back.forEach((giveBack) => giveBack());
    },
  };
}

/** Subscriptions over event streams, by principal. */
export interface StreamPlaces {
  /** Returns what gives the place back; throws LimitExceededError when there is none. */
  take(principal: string): () => void;
}

export function createStreamPlaces({ sseMaxStreamsPerPrincipal: allowed }: GatewayLimits): StreamPlaces {
  const places = new Places();
  return {
    take(principal) {
      const count = places.taken(principal);
      if (count < allowed) return places.take(principal);
      const message = `you have ${count} open event streams, the most this server allows; end one, or subscribe to several things over one WebSocket`;
      throw new LimitExceededError(message, { name: 'sseMaxStreamsPerPrincipal', requested: count + 1, allowed });
    },
  };
}

/** How many are taken, by whom. */
class Places {
  readonly #counts = new Map<string, number>();

  taken(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** Returns what gives it back, once. */
  take(key: string): () => void {
    this.#counts.set(key, this.taken(key) + 1);
    let isBack = false;
    return () => {
      if (isBack) return;
      isBack = true;
      const left = this.taken(key) - 1;
      if (left > 0) this.#counts.set(key, left);
      else this.#counts.delete(key);
    };
  }
}

/** Sockets without an open operation, by principal. When there are too many, the one that has been idle for longest is let go. */
export class IdleSockets {
  readonly #allowed: number;
  readonly #close: (socket: WebSocket, reason: string) => void;
  readonly #idle = new Map<string, Set<WebSocket>>();

  constructor(allowed: number, close: (socket: WebSocket, reason: string) => void) {
    this.#allowed = allowed;
    this.#close = close;
  }

  add(principal: string, socket: WebSocket): void {
    const sockets = this.#idle.get(principal) ?? new Set();
    this.#idle.set(principal, sockets.add(socket));
    if (sockets.size <= this.#allowed) return;
    const [oldest] = sockets;
    sockets.delete(oldest!);
    this.#close(oldest!, `idle: more than ${this.#allowed} sockets of yours have no open operation (wsMaxIdlePerPrincipal)`);
  }

  delete(principal: string, socket: WebSocket): void {
    const sockets = this.#idle.get(principal);
    sockets?.delete(socket);
    if (sockets?.size === 0) this.#idle.delete(principal);
  }
}

/** A large message counts as several: reading it keeps everyone else waiting. */
const bytesOfOneMessage = 16 * 1024;

/** What the protocol lets one say before it has introduced itself is one message; a few pings may come with it. */
const maxMessagesOfStrangers = 10;

/** Why a message of so many bytes, or a ping, is one too many for its socket; null when it is not. */
export function messageBudget(
  { wsMessagesPerSecond, wsMessageBurst }: GatewayLimits,
  clock: Clock,
): (bytes: number, isStranger: boolean) => string | null {
  const rates = createRates({ perSecond: wsMessagesPerSecond, burst: wsMessageBurst, clock, maxBuckets: 1 });
  let ofStranger = 0;
  return (bytes, isStranger) => {
    if (isStranger && ++ofStranger > maxMessagesOfStrangers) return `more than ${maxMessagesOfStrangers} messages before connection_ack`;
    if (rates.take('messages') > 0)
      return `more than ${wsMessageBurst} messages at once and ${wsMessagesPerSecond} a second (wsMessagesPerSecond)`;
    rates.drain('messages', Math.floor(bytes / bytesOfOneMessage));
    return null;
  };
}
