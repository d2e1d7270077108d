// What commands print, where that is known without running them: echo, printf, cat, decoders. Pure; no I/O.
import type { Invocation, Shell } from './analysis-context.ts';
import { has, readOptions } from './analysis-options.ts';
import { joined, plain, unknown, type Field } from './analysis-words.ts';

/** Undefined for commands that are not among those; then nothing of it is known but where it came from. */
export function outputOf(shell: Shell, { name, args, stdin }: Invocation): Field | undefined {
  switch (name) {
    case 'echo': {
      const flags = args.findIndex(({ text }) => !/^-[neE]+$/.test(text));
      const isEscaped = args.slice(0, flags < 0 ? undefined : flags).some(({ text }) => text.includes('e'));
      const text = joined(flags < 0 ? [] : args.slice(flags), ' ');
      return { ...text, text: `${isEscaped ? unescaped(text.text) : text.text}\n` };
    }
    case 'printf':
      return printf(shell, args);
    case 'cat':
    case 'tac':
    case 'head':
    case 'tail':
      return contents(shell, args, stdin);
    case 'tee':
    case 'pv':
    case 'cstream':
      return stdin ?? plain('');
    case 'which':
    case 'type':
      return args.at(-1);
    case 'rev':
      return { ...through(stdin), decoded: true, text: [...(stdin?.text ?? unknown).trimEnd()].toReversed().join('') };
    case 'tr':
      return { ...through(stdin), decoded: true };
    case 'base64':
    case 'base32':
    case 'basenc':
    case 'gbase64': {
      const options = readOptions(args, { short: 'wbio', long: ['wrap'] });
      if (!has(options, 'd', 'D', 'decode')) return through(stdin);
      const given = options.operands.length > 0 ? contents(shell, options.operands, stdin) : (stdin ?? plain(''));
      return decoded(given, name === 'base64' || name === 'gbase64' ? 'base64' : null);
    }
    case 'xxd': {
      const options = readOptions(args, { short: 'cgols' });
      return has(options, 'r', 'revert')
        ? decoded(stdin ?? plain(unknown), has(options, 'p', 'ps', 'plain') ? 'hex' : null)
        : through(stdin);
    }
    case 'openssl':
      if (!args.some(({ text }) => text === '-d')) return through(stdin);
      return decoded(stdin ?? plain(unknown), args.some(({ text }) => /base64|^-a$/.test(text)) ? 'base64' : null);
    case 'uudecode':
    case 'gunzip':
    case 'zcat':
    case 'bunzip2':
    case 'bzcat':
    case 'unxz':
    case 'xzcat':
    case 'unzstd':
    case 'gpg':
      return { ...through(stdin), decoded: true };
    case 'gzip':
    case 'bzip2':
    case 'xz':
    case 'zstd':
      return { ...through(stdin), decoded: args.some(({ text }) => /^-\w*d|^--decompress/.test(text)) || stdin?.decoded === true };
    default:
      return setUp.has(name) ? plain('') : undefined;
  }
}

/** They print settings that a shell is meant to take over: `eval "$(ssh-agent -s)"`. */
const setUp = new Set([
  'ssh-agent',
  'gpg-agent',
  'direnv',
  'pyenv',
  'rbenv',
  'nodenv',
  'fnm',
  'starship',
  'zoxide',
  'dircolors',
  'opam',
  'brew',
]);

/** What is printed of `stdin` by a program that makes something else of it. */
export const through = (stdin: Field | null): Field => ({ ...(stdin ?? plain('')), text: unknown });

function contents(shell: Shell, args: readonly Field[], stdin: Field | null): Field {
  const files = readOptions(args, { short: 'nc' }).operands.filter(({ text }) => text !== '-' && text !== '/dev/stdin');
  if (files.length === 0) return stdin ?? plain('');
  return joined(files.map((file) => shell.contentOf(shell.path(file)) ?? { ...file, text: unknown }));
}

function decoded(given: Field, encoding: 'base64' | 'hex' | null): Field {
  const text =
    given.text.includes(unknown) || encoding === null ? unknown : Buffer.from(given.text.replace(/\s+/g, ''), encoding).toString();
  return { ...given, decoded: true, text };
}

function printf(shell: Shell, args: readonly Field[]): Field {
  const [format, ...values] = args[0]?.text === '--' ? args.slice(1) : args;
  if (!format) return plain('');
  if (format.text === '-v') {
    if (values[0]) shell.scope.assign(values[0].text, printf(shell, values.slice(1)));
    return plain('');
  }
  const given = values.map(({ text }) => text);
  const text = unescaped(format.text).replace(/%(?:%|[-+ 0#]*\d*(?:\.\d+)?([a-zA-Z]))/g, (_all, kind: string | undefined) => {
    if (kind === undefined) return '%';
    const value = given.shift() ?? '';
    return kind === 'b' ? unescaped(value) : value;
  });
  // The format is used again while there are values.
  return { ...joined([format, ...values]), text: [text, ...given].join(' ') };
}

function unescaped(text: string): string {
  const named: Record<string, string> = { n: '\n', t: '\t', r: '\r', a: '', b: '', e: '\u001b', f: '\f', v: '\v', '\\': '\\' };
  return text.replace(
    /\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|0?([0-7]{1,3})|([ntrabefv\\]))/g,
    (_all, hex, unicode, octal, letter) => {
      if (letter !== undefined) return named[letter as string]!;
      const code = hex ?? unicode;
      return String.fromCharCode(code === undefined ? Number.parseInt(octal as string, 8) & 255 : Number.parseInt(code as string, 16));
    },
  );
}
