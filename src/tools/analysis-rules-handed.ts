// Commands that are handed to programs of another purpose: in an option, behind a word, in a file. Adds to the findings; no I/O.
import type { Invocation, Shell } from './analysis-context.ts';
import { readOptions, type OptionForm, type Options } from './analysis-options.ts';
import type { Field } from './analysis-words.ts';

type Rule = (shell: Shell, invocation: Invocation) => Field | void;

/** Values of these options are commands. */
const inOptions =
  (form: OptionForm, ...names: readonly string[]): Rule =>
  (shell, { name, args }) => {
    const { values } = readOptions(args, form);
    for (const option of names) {
      for (const command of values.get(option) ?? []) shell.runText(command, `${name} ${option.length > 1 ? '--' : '-'}${option}`);
    }
  };

/** Options of ssh (`-o ProxyCommand=…`) and of those that go through it. */
export function judgeConnection(shell: Shell, name: string, { values }: Options): void {
  for (const option of values.get('o') ?? []) {
    const [, key, command] = /^\s*(ProxyCommand|LocalCommand|KnownHostsCommand)\s*[= ]\s*(.+)$/is.exec(option.text) ?? [];
    if (key !== undefined && command !== 'none') shell.runText({ ...option, text: command! }, `${key} of ${name}`);
  }
  for (const command of values.get('S') ?? []) if (name !== 'ssh') shell.runText(command, `${name} -S`);
}

/** `npm exec -- command`, `uv run command`: the command begins behind such a word. */
const verbs = /^(?:exec|dlx|run|x|execute)$/;
/** `npm run` and `yarn run` run scripts of the package by their names. */
const scripted = new Set(['npm', 'pnpm', 'yarn', 'bun']);

const packages: Rule = (shell, { name, args, stdin }) => {
  const { operands, values } = readOptions(args, { short: 'c', long: ['call'], stopsAtOperand: true });
  for (const script of [...(values.get('c') ?? []), ...(values.get('call') ?? [])]) shell.runText(script, name);
  const [verb, ...rest] = operands;
  if (!verb || !verbs.test(verb.text) || (verb.text === 'run' && scripted.has(name))) return undefined;
  const inner = readOptions(rest, { short: 'cpn', long: ['call', 'package', 'with', 'python', 'name'], stopsAtOperand: true });
  for (const script of [...(inner.values.get('c') ?? []), ...(inner.values.get('call') ?? [])]) shell.runText(script, name);
  return inner.operands.length > 0 ? shell.runCommand(inner.operands, stdin) : undefined;
};

const make: Rule = (shell, { name, args }) => {
  const { values } = readOptions(args, { short: 'fCj', long: ['file', 'makefile', 'eval'] });
  const files = [...(values.get('f') ?? []), ...(values.get('file') ?? []), ...(values.get('makefile') ?? [])];
  const own = files.filter(({ text }) => text === '-' || text === '/dev/stdin' || shell.contentOf(shell.path({ ...files[0]!, text })));
  if (own.length > 0 || values.has('eval')) {
    shell.findings.add('inline_code', `${name} runs rules that stand in the command; they are not looked into`);
  }
};

const daemon: Rule = (shell, { args, stdin }) => {
  const { values, operands } = readOptions(args, { short: 'xapucdnr', long: ['exec', 'pidfile', 'user', 'chuid', 'chdir'] });
  const [program] = [...(values.get('x') ?? []), ...(values.get('exec') ?? [])];
  return program && shell.runCommand([program, ...operands], stdin);
};

/** `tmux new -d 'command'`, `screen -dm command`. */
const terminal: Rule = (shell, { name, args, stdin }) => {
  const { operands } = readOptions(args, { short: 'SLfcntsxyFe', stopsAtOperand: true });
  if (name === 'screen') return operands.length > 0 ? shell.runCommand(operands, stdin) : undefined;
  const [verb, ...rest] = operands;
  if (
    !/^(?:new|new-session|neww|new-window|splitw|split-window|run|run-shell|if|if-shell|send|send-keys|respawn-pane)$/.test(
      verb?.text ?? '',
    )
  )
    return undefined;
  for (const command of readOptions(rest, { short: 'scntxyFe' }).operands) shell.runText(command, `${name} ${verb!.text}`);
  return undefined;
};

const remote: Rule = (shell, { name, args }) => judgeConnection(shell, name, readOptions(args, { short: 'cFiJloPSBbDRsX' }));

export const handedRules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...['npm', 'pnpm', 'yarn', 'bun', 'pipx', 'uv', 'poetry', 'pipenv', 'pdm', 'hatch', 'rye', 'bundle', 'mise', 'conda', 'deno'].map(
    (name): [string, Rule] => [name, packages],
  ),
  ['make', make],
  ['gmake', make],
  ['start-stop-daemon', daemon],
  ['tmux', terminal],
  ['screen', terminal],
  ['scp', remote],
  ['sftp', remote],
  ['rsync', inOptions({ short: 'efTMB', long: ['rsh', 'rsync-path'] }, 'e', 'rsh', 'rsync-path')],
  ['zip', inOptions({ short: 'bnt', long: ['unzip-command', 'TT'] }, 'unzip-command', 'TT')],
  ['split', inOptions({ short: 'abClnt', long: ['filter'] }, 'filter')],
  ['sort', inOptions({ short: 'kotST', long: ['compress-program'] }, 'compress-program')],
  ['man', inOptions({ short: 'PCRLMS', long: ['pager'] }, 'P', 'pager')],
  ['tcpdump', inOptions({ short: 'zwricsCGW' }, 'z')],
  ['wget', inOptions({ long: ['use-askpass'] }, 'use-askpass')],
  ['nix-shell', inOptions({ short: 'pA', long: ['run', 'command'] }, 'run', 'command')],
]);
