// `signalbox demo`: everything in one process, and an agent that really does something while you watch.
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { makeLogFiles } from './demo/log-files.ts';
import { demoKeys } from './demo/people.ts';
import { tellStory } from './demo/story.ts';
import { withHelp } from './help.ts';
import { startProcess } from './process.ts';
import { run } from './run.ts';

export const demoCommand = withHelp(
  new Command('demo')
    .description('Starts everything, runs the agent log-triage on generated log files, and keeps serving.')
    .option('--yes', 'approve as a second person without asking', false)
    .option('--exit', 'end when the execution has ended', false)
    .action(demo),
  { examples: ['signalbox demo', 'signalbox demo --yes --exit'] },
);

function demo({ yes, exit }: { yes: boolean; exit: boolean }): Promise<never> {
  return run(async ({ config, logger }) => {
    if (config.logLevel === 'info') logger.level = 'warn'; // the events are what to look at
    const directory = await makeLogFiles(resolve(config.dataDir, 'demo', 'logs'));
    const server = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-filesystem/dist/index.js');
    const files = {
      command: process.execPath,
      args: [server, directory],
      env: {},
      passEnv: [],
      timeoutMs: 30_000,
      startTimeoutMs: 30_000,
      tools: {},
    };
    const signalbox = await startProcess(
      { ...config, toolServers: { ...config.toolServers, files } },
      { gateway: true, runner: true },
      logger,
    );
    const keys = await demoKeys(signalbox);
    const stopping = new AbortController();
    const story = tellStory({ url: signalbox.url!, keys, directory, yes, signal: stopping.signal }).then(() =>
      console.log(`GraphiQL: ${signalbox.url}  (header: authorization: Bearer ${keys.operator})`),
    );
    const stop = (reason: string) => {
      stopping.abort();
      return signalbox.stop(reason);
    };
    return { stop, done: exit ? story : story.then(() => new Promise<never>(() => console.log('Serving. Ctrl-C stops.'))) };
  });
}
