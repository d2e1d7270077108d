// Processor time of processes and their children, where the system tells (Linux): unlike elapsed time, it hardly depends on what
// else the machine does. Null elsewhere.
import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks are a hundredth of a second on every Linux that Node runs on. */
const msPerTick = 10;

/** Milliseconds these processes, their children, and children that have ended have used. */
export function processorMs(pids: readonly number[]): number | null {
  if (process.platform !== 'linux') return null;
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (statOf(Number(name)) ?? []) : []));
  const wanted = new Set(pids);
  return all
    .filter(({ pid, parent }) => wanted.has(pid) || wanted.has(parent))
    .reduce((sum, { pid, own, ended }) => sum + own + (wanted.has(pid) ? ended : 0), 0);
}

function statOf(pid: number): { pid: number; parent: number; own: number; ended: number } | null {
  try {
    // After the name, which is in brackets and may hold anything: state, parent … utime, stime, cutime, cstime.
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [utime, stime, cutime, cstime] = fields.slice(11, 15) as [number, number, number, number];
    return { pid, parent: fields[1]!, own: (utime + stime) * msPerTick, ended: (cutime + cstime) * msPerTick };
  } catch {
    return null; // gone in the meantime
  }
}
