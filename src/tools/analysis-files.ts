// What reading or writing a path means, for commands and for tools that take paths. Adds to the findings; no I/O.
import { isDisk, isPersistent, isSecret, isSystem } from './analysis-paths.ts';
import { shown, type Findings } from './analysis-signs.ts';

interface Place {
  readonly findings: Findings;
}

/** `path` is normalised. */
export function judgeReading({ findings }: Place, path: string): void {
  if (isSecret(path)) findings.add('secret_file', `${shown(path)} holds keys, passwords or tokens`);
}

/** `deed` goes before the path, such as `output is written to`. */
export function judgeWriting({ findings }: Place, path: string, deed: string): void {
  if (isSecret(path)) findings.add('secret_file', `${shown(path)} holds keys, passwords or tokens`);
  if (isPersistent(path)) findings.add('persistence', `${deed} ${shown(path)}, which is run by itself later`);
  if (isDisk(path)) findings.add('disk_write', `${deed} the disk ${shown(path)}`);
  else if (isSystem(path)) findings.add('system_file', `${deed} ${shown(path)}, which belongs to the system`);
}
