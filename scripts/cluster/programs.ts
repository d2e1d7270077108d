// The programs that a cluster needs besides Node, and what installs them.
import { spawnSync } from 'node:child_process';
import { OperatorError } from '#src/platform/errors.ts';

/** Program → Debian's package. */
const needed: Readonly<Record<string, string>> = {
  'redis-server': 'redis-server',
  haproxy: 'haproxy',
  // Linux only: children that end with their parent.
  ...(process.platform === 'linux' && { setpriv: 'util-linux' }),
};

/** `path` is where they are looked for, as in PATH. */
export function requirePrograms(path: string): void {
  const missing = Object.keys(needed).filter((program) => spawnSync(program, ['--version'], { env: { PATH: path } }).error);
  if (missing.length === 0) return;
  const packages = missing.map((program) => needed[program]);
  throw new OperatorError(`a cluster needs ${missing.join(' and ')}, not found on PATH: apt-get install ${packages.join(' ')}`);
}
