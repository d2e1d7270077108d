// Opens connections: resolves a name once, refuses it when any of its addresses is refused, and connects to exactly those addresses.
// TLS still verifies the name. Nothing else resolves or connects, so an answer that changes after the check (DNS rebinding) is never used.
import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { getCACertificates } from 'node:tls';
import { callbackify } from 'node:util';
import { buildConnector } from 'undici';
import { refusedRange, type AllowList } from './addresses.ts';
import { failure, OutboundError } from './outbound.ts';
import { isForbiddenName } from './request.ts';

/** Addresses of a name. `system`: the operator opened the name, so it is resolved as the operating system does. `signal`: nobody waits any more. */
export type Resolve = (name: string, how: 'public' | 'system', signal: AbortSignal) => Promise<readonly string[]>;

export interface ConnectorOptions {
  readonly allow: AllowList;
  readonly resolve: Resolve;
  /** For name, connection and TLS together; milliseconds. */
  readonly timeoutMs: number;
  /** Certificates to trust besides the well-known ones, in PEM. */
  readonly ca?: string | undefined;
  /** Ends connections that are being opened, and open ones. */
  readonly signal: AbortSignal;
}

export function createConnector({ allow, resolve, timeoutMs, ca, signal }: ConnectorOptions): buildConnector.connector {
  async function addressesOf(host: string, port: number): Promise<readonly string[]> {
    if (isIP(host) !== 0) {
      const range = refusedRange(host);
      if (range !== null && !allow.allowsAddress(host, port)) throw denied(`${host} is refused (${range})`, host, port);
      return [host];
    }
    if (allow.allowsName(host, port)) return namesOf(resolve(host, 'system', signal), host);
    if (isForbiddenName(host)) throw denied(`the name ${host} is refused`, host, port);
    const addresses = await namesOf(resolve(host, 'public', signal), host);
    for (const address of addresses) {
      const range = refusedRange(address);
      // Not which address: it would tell strangers how the operator's network looks inside.
      if (range !== null && !allow.allowsAddress(address, port))
        throw denied(`${host} leads to an address that is refused (${range})`, host, port);
    }
    return addresses;
  }

  /** A connector that knows no other addresses than those checked here. */
  async function pinned({ hostname, protocol, port: written }: buildConnector.Options): Promise<buildConnector.connector> {
    const port = written ? Number(written) : protocol === 'https:' ? 443 : 80;
    const startedAt = performance.now();
    const addresses = await within(timeoutMs, signal, addressesOf(hostname, port), hostname);
    signal.throwIfAborted();
    const answer = addresses.map((address) => ({ address, family: isIP(address) }));
    return buildConnector({
      allowH2: false,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: 2_500,
      timeout: Math.max(timeoutMs - (performance.now() - startedAt), 1),
      signal,
      ...(ca !== undefined && { ca: [...getCACertificates('default'), ca] }),
      lookup: (_name, { all }, done) => (all ? done(null, answer) : done(null, answer[0]!.address, answer[0]!.family)),
    });
  }

  const prepare = callbackify(pinned);
  return (options, callback) => {
    prepare(options, (error: Error | null, connect) => (error ? callback(error, null) : connect(options, callback)));
  };
}

function denied(reason: string, host: string, port: number): OutboundError {
  const entry = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  return new OutboundError(failure('OUTBOUND_DENIED', `${reason}; the operator can open it with outbound.allow: ${entry}`));
}

async function namesOf(answer: Promise<readonly string[]>, host: string): Promise<readonly string[]> {
  let addresses: readonly string[];
  try {
    addresses = await answer;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'no answer';
    throw new OutboundError(
      failure('OUTBOUND_UNREACHABLE', `could not find the address of ${host} (${reason})`, { retryable: true }),
      error,
    );
  }
  if (addresses.length > 0) return addresses;
  throw new OutboundError(failure('OUTBOUND_UNREACHABLE', `${host} has no address`, { retryable: true }));
}

async function within<T>(timeoutMs: number, signal: AbortSignal, work: Promise<T>, host: string): Promise<T> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const late = Promise.withResolvers<never>();
  limit.addEventListener('abort', () => {
    const message = `could not find the address of ${host} within ${timeoutMs} ms`;
    late.reject(new OutboundError(failure('OUTBOUND_TIMEOUT', message, { retryable: true })));
  });
  return Promise.race([work, late.promise]);
}

/**
 * Public names are asked of the name servers directly (c-ares): the operating system's resolver runs in the four threads that files and
 * decompression share, so that slow names of one tenant would hold up everything else. `servers`: instead of the configured ones.
 */
export function createResolve({ servers }: { readonly servers?: readonly string[] } = {}): Resolve {
  return async (name, how, signal) => {
    if (how === 'system') return (await lookup(name, { all: true })).map(({ address }) => address);
    const resolver = new Resolver({ timeout: 2_000, tries: 2 });
    if (servers) resolver.setServers(servers);
    const cancel = () => resolver.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    signal.removeEventListener('abort', cancel);
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (addresses.length === 0) throw (answers[0] as PromiseRejectedResult).reason;
    return addresses;
  };
}
