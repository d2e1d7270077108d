// One command at a time: the wrapper, the rule and the paths that belong to its name. Adds to the findings; no I/O.
import type { Shell } from './analysis-context.ts';
import { judgeReading } from './analysis-files.ts';
import { judgeAddress, networkRules } from './analysis-network.ts';
import { outputOf, through } from './analysis-output.ts';
import { meantBy } from './analysis-letters.ts';
import { globMatches } from './analysis-paths.ts';
import { fileRules } from './analysis-rules-files.ts';
import { handedRules } from './analysis-rules-handed.ts';
import { interpreters, systemRules } from './analysis-rules-system.ts';
import { shown } from './analysis-signs.ts';
import { unknown, type Field } from './analysis-words.ts';
import { wrappers } from './analysis-wrappers.ts';

/** Arguments of one command that are looked at as paths and addresses. */
const maxPaths = 500;
const rules = new Map([...fileRules, ...systemRules, ...networkRules]);
const namesOfNote = [...new Set([...rules.keys(), ...wrappers.keys(), ...interpreters])].filter((name) => name.length > 1);

/** Their operands are text, not files. */
const textual = new Set([
  'echo',
  'printf',
  'test',
  '[',
  'expr',
  'basename',
  'dirname',
  'seq',
  'true',
  'false',
  ':',
  'export',
  'local',
  'declare',
  'typeset',
  'readonly',
  'unset',
  'which',
  'man',
]);
/** Their first operand is a pattern or a program, unless an option gave it. */
const patterned = new Set(['grep', 'egrep', 'fgrep', 'rg', 'ag', 'ack', 'zgrep', 'sed', 'gsed', 'awk', 'gawk', 'mawk', 'nawk', 'jq', 'yq']);

/** What it prints, as far as that is known. */
export function judgeCommand(shell: Shell, first: Field, given: readonly Field[], stdin: Field | null): Field {
  const { findings } = shell;
  const path = first.text.replaceAll('\\', '/');
  const name = path
    .slice(path.lastIndexOf('/') + 1)
    .toLowerCase()
    .replace(/\.(?:exe|cmd|bat|com)$/, '');
  if (first.downloaded || first.decoded)
    return shell.runText({ ...first, text: [first, ...given].map(({ text }) => text).join(' ') }, 'the command');
  if (first.text.includes(unknown)) {
    findings.add('dynamic_command', `the command ${shown(first.text)} is known only when it runs`);
    judgePaths(shell, name, given);
    return unknownFrom(stdin, given);
  }
  if (/[*?[]/.test(name) && name !== '[' && name !== '[[') {
    const possible = namesOfNote.find((each) => globMatches(name, each));
    if (possible)
      findings.add('obfuscated_command', `the command is written as the pattern ${shown(first.text)}, which may stand for ${possible}`);
  }
  if (path.includes('/')) {
    const content = shell.contentOf(shell.path(first));
    if (content) return shell.runText(content, `the file ${shown(first.text)}`, given);
  }
  const meant = meantBy(first.text, namesOfNote);
  if (meant !== null) {
    findings.add('obfuscated_command', `the command ${shown(first.text)} is written so that it looks like ${shown(meant)}`);
    return shell.runText({ ...first, text: [meant, ...given.map(({ text }) => text)].join(' ') }, 'the command');
  }
  const args = textual.has(name) ? given : given.map((arg) => withHyphen(shell, arg));
  // The shell's own `time` knows no such option: it is meant for the program.
  const wrapper = wrappers.get(/^-[a-z]/i.test(first.text) ? 'time' : name);
  if (wrapper && first.text.startsWith('-')) return wrapper(shell, { name: 'time', args: [first, ...args], stdin });
  if (wrapper) return wrapper(shell, { name, args, stdin });
  const invocation = { name, args, stdin };
  const rule =
    rules.get(name) ?? systemRules.get(name.replace(/[.\d]+$/, '')) ?? (name.startsWith('mkfs.') ? fileRules.get('mkfs') : undefined);
  // Beside its own rule; a program may have both.
  const handed = handedRules.get(name)?.(shell, invocation);
  const printed = rule?.(shell, invocation) ?? handed;
  judgePaths(shell, name, args);
  for (const { text } of args.slice(0, maxPaths)) judgeAddress(shell, text);
  return printed ?? outputOf(shell, invocation) ?? unknownFrom(stdin, args);
}

/** `–rf` and `−rf` are names of files; whoever reads the command takes them for options, and so does this. */
function withHyphen({ findings }: Shell, arg: Field): Field {
  const dashes = /^[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]{1,2}(?=[A-Za-z]\S*$)/.exec(arg.text)?.[0];
  if (dashes === undefined) return arg;
  findings.add('hidden_characters', `${shown(arg.text)} begins with a dash that looks like a hyphen`);
  return { ...arg, text: `${'-'.repeat(dashes.length)}${arg.text.slice(dashes.length)}` };
}

/** What a program prints may hold what it was given. */
function unknownFrom(stdin: Field | null, args: readonly Field[]): Field {
  const given = through(stdin);
  return {
    ...given,
    downloaded: given.downloaded || args.some(({ downloaded }) => downloaded),
    decoded: given.decoded || args.some(({ decoded }) => decoded),
  };
}

function judgePaths(shell: Shell, name: string, args: readonly Field[]): void {
  if (textual.has(name)) return;
  const hasProgram = args.some(({ text }) => /^-(?:[ef]|-regexp|-file|-expression)/.test(text));
  let patterns = patterned.has(name) && !hasProgram ? 1 : 0;
  for (const arg of args.slice(0, maxPaths)) {
    const { text } = arg;
    const isOption = text.startsWith('-');
    if (!isOption && patterns > 0) {
      patterns--;
      continue;
    }
    // `--env-file=.env`, `-d @.env`, `-F file=@key.pem`, `host:~/.ssh/id_rsa`
    const value = isOption ? text.replace(/^-+[\w-]*=?@?/, '') : text.replace(/^(?:[\w.-]*=)?@/, '').replace(/^[\w.@-]{2,}:(?=[~/.])/, '');
    if (
      value === '' ||
      (/\s/.test(value) && !/^(?:[/~]|\.{1,2}\/|[a-z]:\/)[^\n]*$/i.test(value)) ||
      /^[a-z][a-z+.-]*:\/\//i.test(value.replace(/^file:/i, ''))
    )
      continue;
    judgeReading(shell, shell.path({ ...arg, text: value }));
  }
}
