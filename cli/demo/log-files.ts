// The folder of log files that the demo's agent reads: made once, the same on every machine.
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OperatorError } from '#src/platform/errors.ts';

const services = ['payments', 'auth', 'search', 'billing'];
const errors: Readonly<Record<string, readonly string[]>> = {
  payments: ['card processor timed out after 3000 ms', 'idempotency key reused with another amount'],
  auth: ['token signature invalid', 'issuer unreachable'],
  search: ['shard 3 not responding'],
  billing: ['invoice 4711 has no address', 'tax service answered 503'],
};
const hoursPerFile = 6;

/** Writes one log file per service, except those that the folder has already: they may have been edited. Gives the folder. */
export async function makeLogFiles(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    const present = await readdir(folder);
    for (const [index, service] of services.entries()) {
      const name = `${service}.log`;
      if (!present.includes(name)) await writeWhole(join(folder, name), logOf(service, index));
    }
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new OperatorError(
      `the log files of the demo cannot be written to ${folder} (${code}): set SIGNALBOX_DATA_DIR to a folder that may be written`,
      { cause },
    );
  }
  return folder;
}

/** A kill in between must not leave half a file, which would count as present; nor may the agent see a draft. */
async function writeWhole(file: string, text: string): Promise<void> {
  const draft = join(dirname(dirname(file)), `draft-${process.pid}`);
  try {
    await writeFile(draft, text);
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}

function logOf(service: string, seed: number): string {
  const lines: string[] = [];
  const begin = Date.UTC(2026, 0, 15, 6);
  for (let minute = 0; minute < hoursPerFile * 60; minute += 5) {
    const at = new Date(begin + minute * 60_000 + seed * 7_000).toISOString();
    const failing = (minute / 5 + seed * 3) % (9 + seed * 4) === 0;
    const messages = errors[service]!;
    lines.push(
      failing
        ? `${at} ERROR ${service}: ${messages[(minute / 5) % messages.length]}`
        : `${at} INFO ${service}: handled ${20 + ((minute * 13 + seed * 31) % 80)} requests`,
    );
  }
  return `${lines.join('\n')}\n`;
}
