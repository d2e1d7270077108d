// A yes or no from the person at the terminal.
import { createInterface } from 'node:readline/promises';

/** Null when there is nobody to ask: no terminal, or it was closed (Ctrl-D). Rejects when `signal` aborts. */
export async function ask(question: string, signal: AbortSignal): Promise<boolean | null> {
  if (!process.stdin.isTTY) return null;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // While it reads, the terminal gives a Ctrl-C to us instead of making it a signal.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const closed = new Promise<null>((resolve) => terminal.once('close', () => resolve(null)));
  try {
    for (;;) {
      const answer = await Promise.race([closed, terminal.question(question, { signal })]);
      if (answer === null) return null;
      if (/^\s*y(es)?\s*$/i.test(answer)) return true;
      if (/^\s*no?\s*$/i.test(answer)) return false;
    }
  } finally {
    terminal.close();
  }
}
