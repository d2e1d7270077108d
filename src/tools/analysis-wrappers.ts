// Commands that run other commands: finds the inner one and has it looked at in the outer one's place. Decides little itself.
import type { Invocation, Shell, Wrapper } from './analysis-context.ts';
import { judgeWriting } from './analysis-files.ts';
import { container, ssh } from './analysis-machines.ts';
import { has, readOptions, valueOf, type OptionForm } from './analysis-options.ts';
import { holdsCommand, injects } from './analysis-patterns.ts';
import { shown } from './analysis-signs.ts';
import { joined, plain, unknown, unknownField, type Field } from './analysis-words.ts';

/** The command begins behind the options and so many operands. */
const behind =
  (form: OptionForm = {}, operands = 0, before?: (shell: Shell, invocation: Invocation) => void): Wrapper =>
  (shell, invocation) => {
    before?.(shell, invocation);
    const { operands: found } = readOptions(invocation.args, { ...form, stopsAtOperand: true });
    const rest = found.slice(operands);
    const command = rest.findIndex(({ text }) => !/^[A-Za-z_]\w*=/.test(text));
    if (command < 0) return plain('');
    return shell.runCommand(rest.slice(command), invocation.stdin);
  };

const escalates = ({ findings }: Shell, { name }: Invocation): void =>
  findings.add('privilege_escalation', `${name} runs a command with the rights of somebody else`);

const scriptIn =
  (form: OptionForm, option: string, operands = 0, before?: (shell: Shell, invocation: Invocation) => void): Wrapper =>
  (shell, invocation) => {
    before?.(shell, invocation);
    // `su` takes its options anywhere; behind other commands they belong to the inner one.
    const options = readOptions(invocation.args, { ...form, stopsAtOperand: operands !== Infinity });
    const rest = options.operands.slice(operands);
    const script = valueOf(options, option, 'command') ?? (/^-(?:c|-command)$/.test(rest[0]?.text ?? '') ? rest[1] : undefined);
    if (script) return shell.runText(script, `${invocation.name} -${option}`);
    if (rest.length > 0) return shell.runCommand(rest, invocation.stdin);
    // A shell of somebody else.
    if (invocation.name === 'su' && invocation.stdin) return shell.runText(invocation.stdin, 'su, from its input,');
    return invocation.stdin ?? plain('');
  };

const asText =
  (form: OptionForm, operands = 0): Wrapper =>
  (shell, { name, args }) => {
    const rest = readOptions(args, { ...form, stopsAtOperand: true }).operands.slice(operands);
    return rest.length > 0 ? shell.runText(joined(rest, ' '), name) : plain('');
  };

const sudo: Wrapper = (shell, invocation) => {
  const long = ['user', 'group', 'host', 'prompt', 'chdir', 'chroot', 'close-from', 'role', 'type', 'command-timeout', 'other-user'];
  const options = readOptions(invocation.args, { short: 'ugCDhpRrTtU', long, stopsAtOperand: true });
  if (options.operands.length === 0 && has(options, 's', 'i', 'shell', 'login') && invocation.stdin) {
    escalates(shell, invocation);
    return shell.runText(invocation.stdin, 'sudo, from its input,');
  }
  return behind({ short: 'ugCDhpRrTtU', long }, 0, escalates)(shell, invocation);
};

const env: Wrapper = (shell, invocation) => {
  // `-` alone is `-i`.
  const args = invocation.args.filter(({ text }, index) => text !== '-' || index > 1);
  const options = readOptions(args, { short: 'uSC', long: ['unset', 'chdir', 'split-string'], stopsAtOperand: true });
  const folder = valueOf(options, 'C', 'chdir');
  if (folder) shell.enter(folder);
  const split = valueOf(options, 'S', 'split-string');
  if (split) return shell.runText(joined([split, ...options.operands], ' '), 'env -S', [], invocation.stdin);
  for (const { text } of options.operands) {
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
    if (name === undefined) break;
    if (injects(name, value!)) shell.findings.add('library_injection', `${name} is set, which makes programs load or run something else`);
    if (holdsCommand(name)) shell.runText(plain(value!), `the variable ${name}`);
  }
  return behind({ short: 'uC', long: ['unset', 'chdir'] })(shell, { ...invocation, args });
};

/** Shells: `-c script`, a file, or what is handed to them. */
const runShell: Wrapper = (shell, { name, args, stdin }) => {
  let i = 0;
  let isScript = false;
  let isInput = false;
  for (; i < args.length; i++) {
    const { text } = args[i]!;
    if (text === '--') {
      i++;
      break;
    }
    if (!/^[-+]./.test(text)) break;
    if (text.startsWith('--')) {
      if (['--rcfile', '--init-file'].includes(text)) i++;
      else if (text === '--command') isScript = true;
      continue;
    }
    if (text.startsWith('-') && text.includes('c')) isScript = true;
    if (text.startsWith('-') && text.includes('s')) isInput = true;
    if (/[oO]$/.test(text)) i++;
  }
  const [first, ...rest] = args.slice(i);
  if (isScript) return first ? shell.runText(first, `${name} -c`, rest.slice(1)) : unknownField;
  if (first && !isInput && first.text !== '-' && first.text !== '/dev/stdin') {
    const content = shell.contentOf(shell.path(first));
    if (content) return shell.runText(content, `${name} ${shown(first.text)}`, rest);
    if (!first.text.includes(unknown)) return unknownField;
    return shell.runText({ ...first, text: unknown }, `the file that ${name} runs`);
  }
  return stdin ? shell.runText(stdin, `${name}, from its input,`, isInput && first ? [first, ...rest] : rest) : unknownField;
};

const evaluate: Wrapper = (shell, { name, args, stdin }) =>
  args.length > 0 ? shell.runText(joined(args, ' '), name) : stdin ? shell.runText(stdin, name) : plain('');

const source: Wrapper = (shell, { name, args, stdin }) => {
  const [file, ...rest] = args;
  const content =
    file && (shell.contentOf(shell.path(file)) ?? (/^\/dev\/(?:stdin|fd\/0)$/.test(file.text) ? (stdin ?? unknownField) : undefined));
  return content ? shell.runText(content, `${name} ${shown(file.text)}`, rest) : unknownField;
};

const xargs: Wrapper = (shell, { args, stdin }) => {
  const long = ['arg-file', 'delimiter', 'eof', 'replace', 'max-lines', 'max-args', 'max-procs', 'max-chars', 'process-slot-var'];
  const options = readOptions(args, { short: 'IELnPsadRJS', long, stopsAtOperand: true });
  const given = stdin ?? unknownField;
  const mark = valueOf(options, 'I', 'replace', 'J')?.text ?? (has(options, 'i', 'replace') ? '{}' : null);
  const words = given.text.split(/[\s\0]+/).filter((word) => word !== '');
  const handed =
    words.length > 0 && !given.text.includes(unknown) ? words.map((text) => ({ ...given, text })) : [{ ...given, text: unknown }];
  if (mark === null) return shell.runCommand([...(options.operands.length > 0 ? options.operands : [plain('echo')]), ...handed], null);
  const whole = { ...given, text: given.text.includes(unknown) ? unknown : given.text.trim() };
  const put = (field: Field): Field =>
    field.text.includes(mark) ? { ...joined([field, whole]), text: field.text.replaceAll(mark, () => whole.text) } : field;
  return shell.runCommand(options.operands.map(put), null);
};

const parallel: Wrapper = (shell, { args, stdin }) => {
  const at = args.findIndex(({ text }) => /^:::\+?$/.test(text));
  const { operands } = readOptions(at < 0 ? args : args.slice(0, at), { short: 'jNnSsLaI', stopsAtOperand: true });
  const values = at < 0 ? [stdin ?? unknownField] : args.slice(at + 1);
  for (const value of values) shell.runText(operands.length > 0 ? joined([...operands, value], ' ') : value, 'parallel');
  return unknownField;
};

/** Tests of `find` that leave most files out. */
const limits = /^-(?:i?name|i?path|i?wholename|i?regex|[acm](?:time|min)|newer\w*|size|user|group|perm|empty|inum|maxdepth|lname)$/;

const find: Wrapper = (shell, { args }) => {
  const first = args.findIndex(({ text }) => /^[-(!]/.test(text));
  const roots = args.slice(0, first < 0 ? undefined : first);
  const tests = first < 0 ? [] : args.slice(first);
  const isLimited = tests.some(({ text }, index) => limits.test(text) && tests[index + 1]?.text !== '*');
  const places = roots.length > 0 ? roots : [plain('.')];
  const remove = () => {
    const below = isLimited ? places.map((place) => ({ ...place, text: `${place.text}/${unknown}` })) : places;
    shell.runCommand([plain('rm'), plain('-r'), ...below], null);
  };
  for (const [index, { text }] of tests.entries()) {
    if (text === '-delete') remove();
    const into = /^-f(?:print0?|printf|ls)$/.test(text) ? tests[index + 1] : undefined;
    if (into) judgeWriting(shell, shell.path(into), 'find writes');
    if (!/^-(?:exec|ok)(?:dir)?$/.test(text)) continue;
    const rest = tests.slice(index + 1);
    const end = rest.findIndex(({ text: word }) => word === ';' || word === '+');
    const command = rest.slice(0, end < 0 ? undefined : end);
    if (/(?:^|\/)(?:rm|unlink|shred)$/.test(command[0]?.text ?? '')) remove();
    else {
      const found = isLimited ? places.map((place) => ({ ...place, text: `${place.text}/${unknown}` })) : places;
      shell.runCommand(
        command.flatMap((word) => (word.text === '{}' ? found : [word])),
        null,
      );
    }
  }
  return unknownField;
};

/** `fd -x command`, with `{}` for what is found. */
const fd: Wrapper = (shell, { args }) => {
  const at = args.findIndex(({ text }) => /^(?:-[xX]|--exec(?:-batch)?)$/.test(text));
  if (at >= 0) shell.runCommand([...args.slice(at + 1).filter(({ text }) => text !== ';'), unknownField], null);
  return unknownField;
};

const command: Wrapper = (shell, invocation) => {
  const options = readOptions(invocation.args, { stopsAtOperand: true });
  return has(options, 'v', 'V') ? (options.operands[0] ?? plain('')) : behind()(shell, invocation);
};

const later: Wrapper = (shell, { name, args, stdin }) => {
  shell.findings.add('persistence', `${name} has a command run later`);
  return stdin && args.length > 0 ? shell.runText(stdin, name) : plain('');
};

const shells = ['sh', 'bash', 'dash', 'zsh', 'ksh', 'mksh', 'ash', 'fish', 'csh', 'tcsh', 'rbash', 'yash', 'elvish', 'git-shell'];

export const wrappers: ReadonlyMap<string, Wrapper> = new Map<string, Wrapper>([
  ...shells.map((name): [string, Wrapper] => [name, runShell]),
  ['sudo', sudo],
  ['doas', behind({ short: 'uC' }, 0, escalates)],
  ['pkexec', behind({ long: ['user'] }, 0, escalates)],
  ['gosu', behind({}, 1, escalates)],
  ['su-exec', behind({}, 1, escalates)],
  ['su', scriptIn({ short: 'cgGsw', long: ['command', 'group', 'shell'] }, 'c', Infinity, escalates)],
  ['runuser', scriptIn({ short: 'cugGsw', long: ['command', 'user', 'group'] }, 'c', 0, escalates)],
  ['env', env],
  ['nohup', behind()],
  ['setsid', behind()],
  ['builtin', behind()],
  ['time', behind({ short: 'fo' })],
  ['nice', behind({ short: 'n', long: ['adjustment'] })],
  ['ionice', behind({ short: 'cnpPu', long: ['class', 'classdata'] })],
  ['chrt', behind({ short: 'TPD' }, 1)],
  ['taskset', behind({}, 1)],
  ['timeout', behind({ short: 'ks', long: ['kill-after', 'signal'] }, 1)],
  ['gtimeout', behind({ short: 'ks', long: ['kill-after', 'signal'] }, 1)],
  ['stdbuf', behind({ short: 'ioe', long: ['input', 'output', 'error'] })],
  ['exec', behind({ short: 'a' })],
  ['command', command],
  ['busybox', behind()],
  ['toybox', behind()],
  ['chroot', behind({ long: ['userspec', 'groups'] }, 1, escalates)],
  ['unshare', behind({ short: 'SGRw' })],
  ['nsenter', behind({ short: 'tSG', long: ['target'] }, 0, escalates)],
  ['strace', behind({ short: 'abeEIoOpPsSuUX' })],
  ['ltrace', behind({ short: 'aAeFlnopsuxX' })],
  ['gdb', behind({ short: 'x' })],
  ['valgrind', behind()],
  ['caffeinate', behind({ short: 'tw' })],
  ['systemd-run', behind({ short: 'pMHEt', long: ['unit', 'property', 'slice', 'description', 'uid', 'gid', 'setenv', 'on-calendar'] })],
  ['fakeroot', behind()],
  ['firejail', behind()],
  ['unbuffer', behind()],
  ['winpty', behind()],
  ['script', scriptIn({ short: 'cEIOBmot' }, 'c', Infinity)],
  ['flock', scriptIn({ short: 'cEw', long: ['command', 'timeout', 'wait'] }, 'c', 1)],
  ['bunx', behind()],
  ['npx', scriptIn({ short: 'cp', long: ['call', 'package'] }, 'c')],
  ['watch', asText({ short: 'n', long: ['interval'] })],
  ['ssh', ssh],
  ['eval', evaluate],
  ['iex', evaluate],
  ['invoke-expression', evaluate],
  ['source', source],
  ['.', source],
  ['xargs', xargs],
  ['gxargs', xargs],
  ['parallel', parallel],
  ['find', find],
  ['gfind', find],
  ['fd', fd],
  ['fdfind', fd],
  ...['docker', 'podman', 'nerdctl', 'kubectl', 'oc', 'lxc', 'docker-compose'].map((name): [string, Wrapper] => [name, container]),
  ['at', later],
  ['batch', later],
  ['trap', (shell, { args }) => (args[0] && args.length > 1 ? shell.runText(args[0], 'trap') : plain(''))],
  ['coproc', behind()],
  ...[
    'entr',
    'chronic',
    'torsocks',
    'torify',
    'proxychains',
    'proxychains4',
    'ssh-agent',
    'xvfb-run',
    'dbus-run-session',
    'setarch',
    'uvx',
  ].map((name): [string, Wrapper] => [name, behind()]),
  ['sg', scriptIn({ short: 'c' }, 'c', 1, escalates)],
]);
