// Who is let in, and how often: the rate of each principal, and of failed sign-ins from each address. Decided in memory, and before anything is
// read from the database where the credential was good not long ago; gateways tell each other through Redis what they let through, and decide by themselves while it is away.
import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Clock } from '#src/platform/clock.ts';
import { RateLimitedError, UnauthenticatedError } from '#src/platform/errors.ts';
import type { PubSub } from '#src/platform/redis.ts';
import type { Authenticator } from '#src/principals/authenticate.ts';
import type { Authority } from '#src/authority/permission.ts';
import { peerOf } from './peer.ts';
import type { GatewayLimits } from './limits.ts';
import { createRates } from './rates.ts';

export interface Admission {
  /** Throws UnauthenticatedError, or RateLimitedError once too many sign-ins from this address have failed. */
  authenticate(credential: string, address: string): Promise<Authority>;
  /**
   * As `authenticate` and `request`. Where it is known without a look-up that whose credential this is may send nothing just now, nothing
   * is looked up.
   */
  admit(credential: string, address: string): Promise<Authority>;
  /** Counts an operation; throws RateLimitedError instead when the principal has sent too many. */
  request(authority: Authority): void;
  /** Throws RateLimitedError when the principal has overdrawn so much that it may send nothing for over a second; counts nothing. */
  requireCredit(authority: Authority): void;
  /** Counts the messages of a socket that was closed for sending too many, as operations. */
  chargeFlood(authority: Authority, messages: number): void;
  /** Counts a large body as further operations: reading JSON keeps everyone else waiting. */
  chargeBody(authority: Authority, bytes: number): void;
  /** And so does parsing and validating a document that was not seen before. */
  chargeDocument(authority: Authority, text: string): void;
  close(): void;
}

export interface AdmissionSettings {
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  readonly limits: Pick<GatewayLimits, 'requestsPerSecond' | 'requestBurst' | 'failedSignInsPerMinute'>;
  readonly clock: Clock;
  readonly pubSub?: Pick<PubSub, 'publish' | 'subscribe'> | undefined;
  /** How often other gateways hear what was let through here; milliseconds. */
  readonly shareMs?: number;
}

const channel = 'request-rates';
/** Whoever can publish may say what they like: what is no count is left out. */
const sharedCounts = z.object({ from: z.string(), counts: z.array(z.tuple([z.string(), z.int().min(1)])) });
const maxKnownCredentials = 10_000;
const bytesOfOneOperation = 64 * 1024;
const charactersOfOneOperation = 512;
const maxOverdrawnMs = 1_000;

export function createAdmission({ authenticator, limits, clock, pubSub, shareMs = 100 }: AdmissionSettings): Admission {
  const { requestsPerSecond, requestBurst, failedSignInsPerMinute } = limits;
  const requests = createRates({ perSecond: requestsPerSecond, burst: requestBurst, clock });
  const failures = createRates({ perSecond: failedSignInsPerMinute / 60, burst: failedSignInsPerMinute, clock });
  /** Whose the credentials are that were good not long ago, by hash: a flood of wrong ones from their address does not keep them out. */
  const known = new LRUCache<string, string>({ max: maxKnownCredentials });
  const self = randomUUID();
  let used = new Map<string, number>();

  const stopHearing = pubSub?.subscribe(channel, (message) => {
    const { data } = sharedCounts.safeParse(message);
    if (data && data.from !== self) for (const [key, count] of data.counts) requests.drain(key, count);
  });
  const timer = pubSub && setInterval(share, shareMs).unref();

  function share(): void {
    if (used.size === 0) return;
    const counts = [...used];
    used = new Map();
    pubSub!.publish(channel, () => ({ from: self, counts }));
  }

  const note = (key: string, count: number) => {
    if (pubSub) used.set(key, (used.get(key) ?? 0) + count);
  };

  function charge(authority: Authority, operations: number): void {
    if (operations === 0) return;
    const key = keyOf(authority);
    requests.drain(key, operations);
    note(key, operations);
  }

  function requireNoWait(waitMs: number): void {
    if (waitMs === 0) return;
    throw new RateLimitedError(
      `you have sent more operations than ${requestBurst} at once and ${requestsPerSecond} a second, the most this server allows; try again in ${waitMs} ms`,
      { name: 'requestsPerSecond', allowed: requestsPerSecond },
      waitMs,
    );
  }

  async function authenticate(credential: string, address: string, hash: string): Promise<Authority> {
    const wait = known.has(hash) ? 0 : failures.wait(address);
    if (wait > 0) {
      throw new RateLimitedError(
        `too many sign-ins from your address have failed; try again in ${wait} ms`,
        { name: 'failedSignInsPerMinute', allowed: failedSignInsPerMinute },
        wait,
      );
    }
    try {
      const authority = await authenticator.authenticate(credential);
      known.set(hash, keyOf(authority));
      return authority;
    } catch (error) {
      if (error instanceof UnauthenticatedError) {
        known.delete(hash);
        failures.drain(address, 1);
      }
      throw error;
    }
  }

  function request(authority: Authority): void {
    const key = keyOf(authority);
    requireNoWait(requests.take(key));
    note(key, 1);
  }

  return {
    authenticate: (credential, address) => authenticate(credential, address, hashOf(credential)),
    request,

    async admit(credential, address) {
      const hash = hashOf(credential);
      const key = known.get(hash);
      if (key !== undefined) requireNoWait(requests.wait(key));
      const authority = await authenticate(credential, address, hash);
      request(authority);
      return authority;
    },

    requireCredit(authority) {
      const wait = requests.wait(keyOf(authority));
      if (wait > maxOverdrawnMs) requireNoWait(wait);
    },
    chargeFlood: charge,

    chargeBody: (authority, bytes) => charge(authority, Math.floor(bytes / bytesOfOneOperation)),
    chargeDocument: (authority, text) => charge(authority, Math.floor(text.length / charactersOfOneOperation)),

    close() {
      clearInterval(timer);
      stopHearing?.();
    },
  };
}

const hashOf = (credential: string): string => createHash('sha256').update(credential).digest('base64');
const keyOf = ({ tenantId, principalId }: Authority): string => `${tenantId}/${principalId}`;

/** Whom limits by address mean: of IPv6, the network of one site, which has more addresses than anybody counts. */
export function addressOf(request: Pick<IncomingMessage, 'socket'>): string {
  const text = peerOf(request) ?? '';
  if (!ipaddr.isValid(text)) return text;
  const address = ipaddr.process(text);
  return address.kind() === 'ipv4' ? address.toString() : ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/64`).toString();
}
