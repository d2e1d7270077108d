// What all commands share: configuration or its problems, expected failures in one sentence, and stopping on signals.
import { ConfigError, loadConfig, type Config } from '#src/config.ts';
import { OperatorError } from '#src/platform/errors.ts';
import { createLogger, type Logger } from '#src/platform/logger.ts';

export interface RunContext {
  readonly config: Config;
  readonly logger: Logger;
}

/** What a command that keeps running has started. */
export interface Running {
  stop(reason: string): Promise<void>;
  /** Resolves when there is nothing left to run, rejects when it cannot go on; without it, or while it is open, only a signal ends the command. */
  readonly done?: Promise<void> | undefined;
}

/** Beyond grace and drain period: the time that closing sockets, pools and Postgres may take. */
const closeMs = 15_000;

/**
 * Runs a command to its end, or, when it returns something to stop, until SIGTERM or SIGINT: the first one stops gracefully
 * (exit code 0), the second one at once (exit code 1).
 */
export async function run(command: (context: RunContext) => Promise<Running | undefined>): Promise<never> {
  try {
    const config = loadConfig();
    const logger = createLogger({ level: config.logLevel });
    const signal = firstSignal(logger);
    const running = await command({ config, logger });
    if (running) {
      const ended = Promise.race([signal, ...(running.done ? [running.done.then(() => 'done')] : [])]);
      const name = await ended.catch(() => 'failed');
      const patienceMs = config.runner.graceMs + config.http.drainMs + closeMs;
      setTimeout(() => quit(`stopping took longer than ${patienceMs} ms`), patienceMs).unref();
      await running.stop(`the server is stopping (${name})`);
      logger.info('stopped');
      await ended; // throws what made it end
    }
    process.exit(0);
  } catch (error) {
    quit(error);
  }
}

function firstSignal(logger: Logger): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let seen = false;
    const onSignal = (name: NodeJS.Signals) => {
      if (seen) quit(`stopped at once by a second signal (${name})`);
      seen = true;
      logger.info({ signal: name }, 'stopping: running steps may finish; a second signal stops at once');
      resolve(name);
    };
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  });
}

/** Failures that the person at the terminal can mend need no stack. */
function quit(reason: unknown): never {
  const sentence = typeof reason === 'string' ? reason : sentenceOf(reason);
  console.error(sentence === null ? reason : `signalbox: ${sentence}`);
  process.exit(1);
}

const databaseCodes = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT', '28P01', '28000', '3D000', '53300', '57P03'];

function sentenceOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof ConfigError || error instanceof OperatorError) return error.message;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall === 'listen') return `${error.message}: stop what listens there, or change SIGNALBOX_HTTP_HOST and SIGNALBOX_HTTP_PORT`;
  if (databaseCodes.includes(code ?? ''))
    return `Postgres does not let us in: ${error.message || code} (check DATABASE_URL and DATABASE_APP_URL)`;
  return null;
}
