// `npm run check [-- step …]`: everything that can be known without running the product. Runs every `check:*` script of
// package.json, however many fail, and shows what the failed ones say.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './generated.ts';

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
const steps = Object.keys(scripts).flatMap((name) => /^check:(.+)$/.exec(name)?.[1] ?? []);
const asked = process.argv.slice(2);
const unknown = asked.filter((step) => !steps.includes(step));
if (unknown.length > 0) {
  console.error(`no such step: ${unknown.join(', ')}; there are ${steps.join(', ')}`);
  process.exit(2);
}

const failed: string[] = [];
const waiting = asked.length > 0 ? asked : steps;
// Two at a time: most of them use one processor.
await Promise.all([runNext(), runNext()]);
console.log(failed.length === 0 ? 'check passed' : `check failed: ${failed.join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);

async function runNext(): Promise<void> {
  for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
    const started = performance.now();
    const { code, output } = await run(step);
    if (code !== 0) {
      failed.push(step);
      console.log(output.trimEnd());
    }
    console.log(`${code === 0 ? '✔' : '✖'} ${step} (${((performance.now() - started) / 1_000).toFixed(1)} s)`);
  }
}

function run(step: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn('npm', ['run', '--silent', `check:${step}`], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.stderr.on('data', (chunk) => (output += String(chunk)));
    child.on('error', (error) => resolve({ code: 1, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
