// Runs the parts of Signalbox that a command asks for, and says on stdout where they are.
import type { Parts } from './process.ts';
import { run } from './run.ts';

export function serve(parts: Parts): Promise<never> {
  return run(async ({ config, logger }) => {
    // Only now: `--help` and a mistake in the settings need none of it.
    const { startProcess } = await import('./process.ts');
    const process = await startProcess(config, parts, logger);
    const { url, firstKey } = process;
    const publicUrl = config.http.publicUrl ?? url;
    if (firstKey) console.log(`admin key (shown only this once): ${firstKey.token}`);
    await firstKey?.shown();
    if (url) console.log(`Signalbox listens on ${url}: GraphQL at ${new URL('/graphql', publicUrl!).href}`);
    if (url && config.mode === 'development') console.log(`GraphiQL: ${publicUrl}`);
    if (parts.runner)
      console.log(
        `runner: ${config.runner.concurrency} jobs at once, tool servers: ${Object.keys(config.toolServers).join(', ') || 'none'}`,
      );
    return process;
  });
}
