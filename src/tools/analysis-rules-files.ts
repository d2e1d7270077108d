// Rules of commands that change files, rights and disks. Adds to the findings; no I/O.
import type { Invocation, Shell } from './analysis-context.ts';
import { judgeReading, judgeWriting } from './analysis-files.ts';
import { has, readOptions, valueOf } from './analysis-options.ts';
import { isDisk, isSystem, isVital } from './analysis-paths.ts';
import { shown } from './analysis-signs.ts';
import { unknown, type Field } from './analysis-words.ts';

type Rule = (shell: Shell, invocation: Invocation) => Field | void;

const remove: Rule = (shell, { name, args }) => {
  const isWindows = /^(?:rd|rmdir|del|erase)$/.test(name);
  const options = readOptions(isWindows ? args.filter(({ text }) => !/^\/[a-z]$/i.test(text)) : args);
  const isAll =
    has(options, 'r', 'R', 'recursive', 'no-preserve-root') ||
    options.isOpen ||
    (isWindows && args.some(({ text }) => /^\/s$/i.test(text))) ||
    name === 'srm';
  const targets = options.operands.filter(({ text }) => text !== unknown);
  for (const target of targets) {
    const path = shell.path(target);
    if (isDisk(path)) shell.findings.add('disk_write', `${name} on the disk ${shown(path)}`);
    else if (isAll && isVital(path)) shell.findings.add('root_delete', `${name} on ${shown(target.text)} and everything below it`);
    else if (isVital(path) && /[*?]/.test(path)) shell.findings.add('root_delete', `${name} on ${shown(target.text)}`);
    else if (isSystem(path) && !path.startsWith(unknown))
      shell.findings.add('system_file', `${name} on ${shown(path)}, which belongs to the system`);
    if (/\/var\/log\/|_history$/.test(path)) shell.findings.add('cover_tracks', `${name} on ${shown(path)}, a record of what happened`);
  }
  if (isAll) {
    const what =
      targets.length > 0
        ? targets
            .map(({ text }) => shown(text))
            .slice(0, 5)
            .join(', ')
        : 'what is known only when it runs';
    shell.findings.add('recursive_delete', `${name} with everything below: ${what}`);
  }
};

/** Every operand is written. */
const writes =
  (deed: string, short = ''): Rule =>
  (shell, { args }) => {
    for (const target of readOptions(args, { short }).operands) judgeWriting(shell, shell.path(target), `${deed}:`);
  };

/** The last operand, or that of `-t`, is written; the others are read. */
const copy: Rule = (shell, { name, args, stdin }) => {
  const options = readOptions(args, { short: 'tSmogP', long: ['target-directory', 'suffix', 'mode', 'owner', 'group'] });
  const into = valueOf(options, 't', 'target-directory') ?? options.operands.at(-1);
  if (into) judgeWriting(shell, shell.path(into), `${name} writes`);
  for (const from of options.operands.filter((each) => each !== into)) {
    const path = shell.path(from);
    judgeReading(shell, path);
    const content = path === '/dev/stdin' ? stdin : shell.contentOf(path);
    if (content && into) shell.write(shell.path(into), content);
    if (name === 'mv') judgeWriting(shell, path, `${name} takes away`);
    if (name === 'mv' && isVital(path)) shell.findings.add('root_delete', `mv takes away ${shown(from.text)}`);
  }
  const mode = name === 'install' ? valueOf(options, 'm', 'mode') : undefined;
  if (mode) judgeMode(shell, mode.text, `${name} -m`);
  if (name === 'rsync' && [...options.flags].some((flag) => /^del(?:ete)?/.test(flag))) {
    shell.findings.add('recursive_delete', 'rsync deletes what its source does not have');
  }
};

/** Octal or symbolic mode of chmod, mkdir -m and install -m. */
function judgeMode({ findings }: Shell, mode: string, command: string): void {
  if (/^[0-7]{1,5}$/.test(mode)) {
    const bits = Number.parseInt(mode, 8);
    if (bits & 0o002 && !(bits & 0o1000)) findings.add('world_writable', `${command} ${mode} lets everybody write`);
    if (bits & 0o6000) findings.add('set_user_id', `${command} ${mode} makes programs run with the rights of their owner`);
    return;
  }
  for (const clause of mode.split(',')) {
    const parts = /^([ugoa]*)([-+=][rwxXstugo]*)+$/.exec(clause);
    if (!parts) continue;
    const given = [...clause.matchAll(/[+=]([rwxXstugo]*)/g)].map(([, rights]) => rights!).join('');
    if (/[oa]/.test(parts[1]!) && given.includes('w')) findings.add('world_writable', `${command} ${shown(clause)} lets everybody write`);
    if (given.includes('s')) findings.add('set_user_id', `${command} ${shown(clause)} makes programs run with the rights of their owner`);
  }
}

const chmod: Rule = (shell, { name, args }) => {
  // A symbolic mode may begin like an option: `chmod -w file`.
  const options = readOptions(args.filter(({ text }) => !/^-[rwxst]+$/.test(text)));
  const [mode, ...targets] = options.operands;
  if (mode && !has(options, 'reference')) judgeMode(shell, mode.text, name);
  judgeTree(shell, name, has(options, 'R', 'recursive'), targets);
};

const chown: Rule = (shell, { name, args }) => {
  const options = readOptions(args);
  judgeTree(shell, name, has(options, 'R', 'recursive'), options.operands.slice(has(options, 'reference') ? 0 : 1));
};

function judgeTree(shell: Shell, name: string, isAll: boolean, targets: readonly Field[]): void {
  for (const target of targets) {
    const path = shell.path(target);
    if (isAll && isVital(path)) shell.findings.add('system_file', `${name} on ${shown(target.text)} and everything below it`);
    else judgeWriting(shell, path, `${name} changes`);
  }
}

const dd: Rule = (shell, { args, stdin }) => {
  for (const arg of args) {
    if (arg.text.startsWith('of=')) {
      const path = shell.path({ ...arg, text: arg.text.slice(3) });
      judgeWriting(shell, path, 'dd writes');
      if (stdin) shell.write(path, stdin);
    }
    if (arg.text.startsWith('if=')) {
      const path = shell.path({ ...arg, text: arg.text.slice(3) });
      judgeReading(shell, path);
      if (isDisk(path)) shell.findings.add('secret_file', `dd reads the whole disk ${shown(path)}`);
    }
  }
};

const disk: Rule = (shell, { name, args }) => {
  if (args.some(({ text }) => /^(?:-l|--list|print|-V|--version|--help|-h|list|info)$/.test(text))) return;
  const target = args.findLast(({ text }) => !text.startsWith('-'))?.text ?? '';
  shell.findings.add('disk_write', `${name} on ${shown(target)} replaces what a disk holds`);
};

const tee: Rule = (shell, { args, stdin }) => {
  for (const target of readOptions(args).operands) {
    const path = shell.path(target);
    judgeWriting(shell, path, 'tee writes');
    if (stdin) shell.write(path, stdin);
  }
};

const sed: Rule = (shell, { name, args }) => {
  const options = readOptions(args, { short: 'efl', long: ['expression', 'file'] });
  const programs = [...(options.values.get('e') ?? options.values.get('expression') ?? options.operands.slice(0, 1))];
  if (programs.map(({ text }) => text.slice(0, 1_000)).some((text) => /(?:^|[;\d$}])\s*e(?:\s|$)|^s(.).*\1.*\1[gpiIm\d]*e/.test(text))) {
    shell.findings.add('inline_code', `${name} runs what it finds as a command`);
  }
  if (!has(options, 'i', 'in-place')) return;
  for (const target of options.operands) judgeWriting(shell, shell.path(target), `${name} changes`);
};

const tar: Rule = (shell, { name, args }) => {
  const options = readOptions(args, {
    short: 'fCITXbHgKLNV',
    long: ['file', 'directory', 'to-command', 'checkpoint-action', 'use-compress-program'],
  });
  const program = valueOf(options, 'to-command', 'use-compress-program', 'I') ?? valueOf(options, 'checkpoint-action');
  if (program) shell.runText({ ...program, text: program.text.replace(/^exec=/, '') }, name);
  const into = valueOf(options, 'C', 'directory');
  const unpacks = has(options, 'x', 'extract') || /^[a-z]*x/.test(args[0]?.text ?? '');
  if (into && unpacks) judgeWriting(shell, shell.path(into), `${name} unpacks into`);
};

const mode: Rule = (shell, { name, args }) => {
  const given = valueOf(readOptions(args, { short: 'm', long: ['mode'] }), 'm', 'mode');
  if (given) judgeMode(shell, given.text, `${name} -m`);
  writes(`${name} makes`, 'm')(shell, { name, args, stdin: null });
};

const crontab: Rule = (shell, { args }) => {
  if (!args.some(({ text }) => text === '-l')) shell.findings.add('persistence', 'crontab has commands run later');
};

export const fileRules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...['rm', 'grm', 'srm', 'unlink', 'rimraf', 'trash', 'remove-item', 'ri', 'rd', 'rmdir', 'del', 'erase'].map((name): [string, Rule] => [
    name,
    remove,
  ]),
  ...['cp', 'mv', 'ln', 'install', 'rsync', 'gcp', 'gmv'].map((name): [string, Rule] => [name, copy]),
  ...[
    'mkfs',
    'mke2fs',
    'mkswap',
    'wipefs',
    'fdisk',
    'sfdisk',
    'cfdisk',
    'gdisk',
    'sgdisk',
    'parted',
    'blkdiscard',
    'cryptsetup',
    'diskutil',
    'diskpart',
    'hdparm',
    'zpool',
    'pvremove',
    'vgremove',
    'lvremove',
    'newfs',
  ].map((name): [string, Rule] => [name, disk]),
  ['badblocks', (shell, invocation) => (invocation.args.some(({ text }) => /^-\w*[wn]/.test(text)) ? disk(shell, invocation) : undefined)],
  ['format', (shell, invocation) => (invocation.args.some(({ text }) => /^[a-z]:$/i.test(text)) ? disk(shell, invocation) : undefined)],
  ['shred', writes('shred overwrites', 'ns')],
  ['wipe', writes('wipe overwrites')],
  ['truncate', writes('truncate cuts', 'sr')],
  ['touch', writes('touch writes', 'dtr')],
  ['chattr', writes('chattr changes', 'pv')],
  ['patch', writes('patch changes', 'pdiorBDFVYz')],
  ['chmod', chmod],
  ['gchmod', chmod],
  ['chown', chown],
  ['chgrp', chown],
  ['mkdir', mode],
  ['dd', dd],
  ['tee', tee],
  ['sed', sed],
  ['gsed', sed],
  ['tar', tar],
  ['bsdtar', tar],
  ['crontab', crontab],
]);
