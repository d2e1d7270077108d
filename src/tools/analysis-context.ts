// What the rules of single commands may ask of the walk through a script. Types only.
import type { Findings } from './analysis-signs.ts';
import type { Field, Scope } from './analysis-words.ts';

/** What rules of single commands may ask for. */
export interface Shell {
  readonly findings: Findings;
  /** Normalised, against the folder the script is in by then. */
  path(field: Field): string;
  /** As a command line of its own. */
  runCommand(argv: readonly Field[], stdin: Field | null): Field;
  /** As a script, with the arguments it is given. `means`: how it came to be run, for a person. */
  runText(script: Field, means: string, args?: readonly Field[], stdin?: Field | null): Field;
  /** What a file is known to hold, because the script wrote it. */
  contentOf(path: string): Field | undefined;
  /** Of a path that a `>(…)` reads, its commands are looked at with this. */
  write(path: string, content: Field): void;
  enter(folder: Field): void;
  defineAlias(name: string, text: Field): void;
  readonly scope: Scope;
}

/** The rule of a command that runs another one. */
export type Wrapper = (shell: Shell, invocation: Invocation) => Field;

/** One command, as it would be run. */
export interface Invocation {
  /** Without folder and in lower case. */
  readonly name: string;
  readonly args: readonly Field[];
  /** Null: nothing is handed to it. */
  readonly stdin: Field | null;
}
