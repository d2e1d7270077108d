// Completes package-lock.json: packages for other platforms that the registry at hand does not hold (a mirror may leave them out).
// npm saves a lock file without them and then refuses it in `npm ci` ("Missing: … from lock file").
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Entry {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[] | undefined;
  cpu?: string[] | undefined;
  libc?: string[] | undefined;
  optionalDependencies?: Record<string, string>;
}

export function completedLockFile(root: string): string {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, Entry> };
  const { packages } = lock;
  for (const [path, { optionalDependencies = {}, dev }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (isPresent(packages, path, name)) continue;
      const { os, cpu, libc } = platformOf(name);
      packages[`node_modules/${name}`] = { version, cpu, ...(dev && { dev }), ...(libc && { libc }), optional: true, os };
    }
  }
  const { '': own, ...others } = packages;
  const sorted = Object.entries(others).sort(([a], [b]) => a.localeCompare(b, 'en'));
  return `${JSON.stringify({ ...lock, packages: { '': own, ...Object.fromEntries(sorted) } }, null, 2)}\n`;
}

/** As Node looks a package up: beside the one that needs it, then outwards. */
function isPresent(packages: Readonly<Record<string, Entry>>, path: string, name: string): boolean {
  for (let place = path; ; place = place.slice(0, Math.max(place.lastIndexOf('node_modules/') - 1, 0))) {
    if (packages[`${place && `${place}/`}node_modules/${name}`]) return true;
    if (place === '') return false;
  }
}

/** Read from the name, which is how these packages are called: `@oxlint/binding-linux-x64-musl`. */
function platformOf(name: string): Pick<Entry, 'os' | 'cpu' | 'libc'> {
  const os = /android|darwin|freebsd|linux|openharmony|win32/.exec(name)?.[0];
  const cpu = /arm64|x64|ia32|ppc64|riscv64|s390x|arm(?=-)/.exec(name)?.[0];
  if (!os || !cpu) throw new Error(`package-lock.json: no registry holds the optional package ${name}, and its name tells no platform`);
  const libc = os === 'linux' && name.includes('musl') ? ['musl'] : os === 'linux' && name.includes('gnu') ? ['glibc'] : undefined;
  return { os: [os], cpu: [cpu], libc };
}
