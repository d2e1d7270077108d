// A process of its own that uses an embedded Postgres: started by test/embedded-postgres.test.ts, told by messages what to do.
// The first argument holds the settings, the second the module to test (a copy of it may stand elsewhere).
const settings = JSON.parse(process.argv[2]!) as { folder: string; port?: number };
const module = process.argv[3]!;

const { startEmbeddedPostgres } = (await import(module)) as typeof import('#src/platform/embedded-postgres.ts');
const lines: string[] = [];
const say = (line: string) => void lines.push(line);
process.on('SIGINT', () => undefined); // as a Signalbox that stops gracefully: not at once
process.on('disconnect', () => process.exit(3));
try {
  const postgres = await startEmbeddedPostgres({ ...settings, log: { info: say, warn: say, error: say } });
  process.on('message', (message) => {
    if (message === 'stop') void postgres.stop().then(() => process.exit(0));
  });
  process.send!({ ...postgres, lines });
} catch (error) {
  process.send!({ error: (error as Error).message, kind: (error as Error).name, lines }, () => process.exit(1));
}
