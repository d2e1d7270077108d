// Arguments of a command as the usual option parsers read them. Pure; no I/O.
import { unknown, type Field } from './analysis-words.ts';

export interface OptionForm {
  /** Letters of short options that take a value. */
  readonly short?: string | undefined;
  /** Long options that take a value. */
  readonly long?: readonly string[] | undefined;
  /** What follows the first operand belongs to another command. */
  readonly stopsAtOperand?: boolean | undefined;
}

export interface Options {
  /** Letters of short options (`-rf` is two), names of long ones, as written. */
  readonly flags: ReadonlySet<string>;
  /** By letter or name. */
  readonly values: ReadonlyMap<string, readonly Field[]>;
  readonly operands: readonly Field[];
  /** Something among them is only known when the command runs: it may be any option. */
  readonly isOpen: boolean;
}

export function readOptions(args: readonly Field[], { short = '', long = [], stopsAtOperand = false }: OptionForm = {}): Options {
  const flags = new Set<string>();
  const values = new Map<string, Field[]>();
  const operands: Field[] = [];
  const give = (name: string, value: Field | undefined) => {
    flags.add(name);
    if (value) values.set(name, [...(values.get(name) ?? []), value]);
  };
  let i = 0;
  for (; i < args.length; i++) {
    const arg = args[i]!;
    const { text } = arg;
    if (text === '--') {
      i++;
      break;
    }
    if (text.startsWith('--')) {
      const equals = text.indexOf('=');
      const name = text.slice(2, equals < 0 ? undefined : equals);
      if (equals >= 0) give(name, { ...arg, text: text.slice(equals + 1) });
      else if (long.some((option) => isLong(name, option))) give(name, args[++i]);
      else flags.add(name);
    } else if (text.startsWith('-') && text.length > 1) {
      for (let at = 1; at < text.length; at++) {
        const letter = text[at]!;
        if (!short.includes(letter)) flags.add(letter);
        else {
          give(letter, at + 1 < text.length ? { ...arg, text: text.slice(at + 1) } : args[++i]);
          break;
        }
      }
    } else {
      if (stopsAtOperand) break;
      operands.push(arg);
    }
  }
  operands.push(...args.slice(i));
  return { flags, values, operands, isOpen: args.some(({ text }) => text.startsWith(unknown)) };
}

/** GNU tools accept a long option by its beginning. */
const isLong = (given: string, option: string): boolean => given === option || (given.length >= 3 && option.startsWith(given));

/** Is one of these options given? A name of one letter is a short option. */
export const has = ({ flags }: Options, ...names: readonly string[]): boolean =>
  names.some((name) => flags.has(name) || (name.length > 1 && [...flags].some((flag) => isLong(flag, name))));

export function valueOf({ values }: Options, ...names: readonly string[]): Field | undefined {
  const exact = names.find((name) => values.has(name));
  if (exact !== undefined) return values.get(exact)![0];
  for (const [given, found] of values) {
    if (given.length > 1 && names.some((name) => name.length > 1 && isLong(given, name))) return found[0];
  }
  return undefined;
}

/** The arguments as one text to search, cut so that searching stays cheap. */
export const textOf = (args: readonly Field[]): string =>
  args
    .map(({ text }) => text)
    .join(' ')
    .slice(0, 4_096);
