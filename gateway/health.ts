// `/healthz`: the process answers. `/readyz`: each dependency by name; not ready without one that is required, nor once it is leaving.
import type { FastifyInstance } from 'fastify';
import type { GatewayLogger } from './errors.ts';

export interface HealthSettings {
  /** Without one of these it is not ready. */
  readonly dependencies: Readonly<Record<string, () => Promise<void>>>;
  /** Without these it is slower; they are only shown. */
  readonly optional: Readonly<Record<string, () => Promise<void>>>;
  readonly logger: GatewayLogger;
}

const timeoutMs = 2_000;

export function serveHealth(server: FastifyInstance, { dependencies, optional, logger }: HealthSettings): { leave(reason: string): void } {
  let leaving: string | undefined;
  /** Those that did not answer when they were asked last. */
  const lost = new Set<string>();

  async function stateOf(name: string, ask: () => Promise<void>): Promise<'ok' | 'unavailable'> {
    const timeout = Promise.withResolvers<never>();
    const timer = setTimeout(() => timeout.reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    try {
      await Promise.race([ask(), timeout.promise]);
      if (lost.delete(name)) logger.info({ dependency: name }, 'a dependency is available again');
      return 'ok';
    } catch (error) {
      if (!lost.has(name)) logger.warn({ err: error, dependency: name }, 'a dependency is not available');
      lost.add(name);
      return 'unavailable';
    } finally {
      clearTimeout(timer);
    }
  }

  server.get('/healthz', async () => ({ status: 'ok' }));
  const statesOf = (asks: HealthSettings['dependencies']) =>
    Promise.all(Object.entries(asks).map(async ([name, ask]) => [name, await stateOf(name, ask)] as const));

  server.get('/readyz', async (_request, reply) => {
    // One that leaves asks nobody: the answer of a slow dependency would come after it has gone.
    const [required, others] = leaving === undefined ? await Promise.all([statesOf(dependencies), statesOf(optional)]) : [[], []];
    const isReady = leaving === undefined && required.every(([, state]) => state === 'ok');
    return reply
      .code(isReady ? 200 : 503)
      .send({ status: leaving ?? (isReady ? 'ready' : 'unavailable'), dependencies: Object.fromEntries([...required, ...others]) });
  });
  return {
    leave(reason) {
      leaving = reason;
    },
  };
}
