// The folder of log files that the demo's agent reads: made once, the same on every machine.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const services = ['payments', 'auth', 'search', 'billing'];
const errors: Readonly<Record<string, readonly string[]>> = {
  payments: ['card processor timed out after 3000 ms', 'idempotency key reused with another amount'],
  auth: ['token signature invalid', 'issuer unreachable'],
  search: ['shard 3 not responding'],
  billing: ['invoice 4711 has no address', 'tax service answered 503'],
};
const hoursPerFile = 6;

/** Writes one log file per service unless the folder has some already. Gives the folder. */
export async function makeLogFiles(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const present = await readdir(folder);
  for (const [index, service] of services.entries()) {
    const name = `${service}.log`;
    if (!present.includes(name)) await writeFile(join(folder, name), logOf(service, index));
  }
  return folder;
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
