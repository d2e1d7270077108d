// Puts the demo together: its files, the process with its tool server, its people, its story; and takes it apart again.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createSignalboxClient, SignalboxClientError } from '#client/index.ts';
import type { Config } from '#src/config.ts';
import { OperatorError } from '#src/platform/errors.ts';
import { createLogger, type Logger } from '#src/platform/logger.ts';
import { startProcess } from '../process.ts';
import type { Running } from '../run.ts';
import { closingText } from './closing.ts';
import { makeLogFiles } from './log-files.ts';
import { admitPeople } from './people.ts';
import { paint, readableLog } from './show.ts';
import { tellStory } from './story.ts';
import { lastTold, rememberTold } from './told.ts';

export interface DemoOptions {
  /** Approve without asking. */
  readonly yes: boolean;
  /** Stop when the execution has ended. */
  readonly exit: boolean;
}

const say = (line: string): void => console.log(line);

export async function startDemo(config: Config, given: Logger, { yes, exit }: DemoOptions): Promise<Running> {
  // The events are what to look at: of the usual lines only what went wrong, in words.
  const logger = config.logLevel === 'info' ? createLogger({ level: 'warn', destination: readableLog }) : given;
  given.level = logger.level;
  if (process.stdin.isTTY) stopWithTerminal();
  say(`${paint('bold', 'Signalbox demo')}  (data folder ${config.dataDir})`);
  const directory = await makeLogFiles(join(config.dataDir, 'demo', 'logs'));
  const toolServers = { ...config.toolServers, files: fileServer(directory) };
  const signalbox = await startProcess({ ...config, toolServers }, { gateway: true, runner: true }, logger, (line) =>
    say(paint('dim', `  ${line}`)),
  );
  const url = signalbox.url!;
  const publicUrl = config.http.publicUrl ?? url;
  say(paint('dim', `  GraphQL is ready at ${new URL('/graphql', publicUrl).href}`));
  if (signalbox.firstKey) say(`\nadmin key (shown only this once): ${signalbox.firstKey.token}`);
  await signalbox.firstKey?.shown();

  const people = await admitPeople(signalbox);
  const stopping = new AbortController();
  const operator = createSignalboxClient({ url, apiKey: people.operatorKey });
  const reviewer = createSignalboxClient({ url, apiKey: people.reviewerKey });
  const front = { publicUrl, hasGraphiql: config.mode === 'development' };

  async function play(): Promise<void> {
    const ending = await tellStory({
      operator,
      reviewer,
      reviewerKey: people.reviewerKey,
      ...front,
      directory,
      told: await lastTold(config.dataDir),
      yes,
      signal: stopping.signal,
    });
    say(closingText({ ...ending, ...front, ...people, goesOn: !exit }));
    await rememberTold(config.dataDir, ending.executionId);
    if (!exit) await new Promise<never>(() => undefined);
    if (ending.status !== 'succeeded' && !ending.rejectedBy) throw new OperatorError(`the execution ended ${ending.status}`);
  }

  return {
    done: play().catch((error: unknown) => {
      // What the server refuses is for the person who runs the demo: an agent that was archived, a policy that denies.
      if (error instanceof SignalboxClientError && !stopping.signal.aborted) throw new OperatorError(error.message, { cause: error });
      throw error;
    }),
    async stop(reason) {
      stopping.abort();
      logger.level = 'error'; // a Ctrl-C in the terminal ends the tool server, too, which need not be said
      if (!exit) say('\nStopping; a second Ctrl-C stops at once.');
      await Promise.all([operator.close(), reviewer.close()]);
      await people
        .leave()
        .catch((err: unknown) => logger.error({ err }, 'the keys of the demo could not be revoked; they expire within a day'));
      await signalbox.stop(reason);
    },
  };
}

/** Closing the terminal's window ends the demo as Ctrl-C does, and takes its Postgres along; nothing can be printed any more. */
function stopWithTerminal(): void {
  process.once('SIGHUP', () => process.kill(process.pid, 'SIGTERM'));
  process.stdout.on('error', () => undefined);
}

/** The real npm package, allowed to touch this folder and nothing else. */
function fileServer(directory: string): Config['toolServers'][string] {
  const program = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-filesystem/dist/index.js');
  const args = [program, directory];
  return { command: process.execPath, args, env: {}, passEnv: [], timeoutMs: 30_000, startTimeoutMs: 30_000, tools: {} };
}
