// Preloaded into every test file: node:test waits for ever for a file that leaves a socket, a timer or a process behind. This ends it,
// and says what was left. The limit comes from scripts/test.ts.
const limitMs = Number(process.env['SIGNALBOX_TEST_FILE_MS']);

if (process.env['NODE_TEST_CONTEXT'] !== undefined && limitMs > 0) {
  setTimeout(() => {
    const { libuv = [] } = process.report.getReport() as { libuv?: { type: string; is_active: boolean; is_referenced: boolean }[] };
    const open = libuv.filter((handle) => handle.is_active && handle.is_referenced).map((handle) => `  ${JSON.stringify(handle)}\n`);
    process.stderr.write(`${process.argv[1]}: not at an end after ${limitMs} ms; still open:\n${open.join('')}`);
    process.exit(1);
  }, limitMs).unref();
}
