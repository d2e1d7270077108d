// Rules of git: what it throws away, and the commands that its settings, options and addresses can hold. Adds to the findings; no I/O.
import type { Invocation, Shell } from './analysis-context.ts';
import { has, readOptions, valueOf } from './analysis-options.ts';
import { shown } from './analysis-signs.ts';
import { joined, plain, type Field } from './analysis-words.ts';

/** Settings whose value git runs. */
const commandSettings =
  /^(?:core\.(?:sshcommand|pager|editor|fsmonitor|gitproxy|askpass|alternaterefscommand)|sequence\.editor|pager\..+|diff\.external|diff\..+\.(?:command|textconv)|merge\..+\.driver|filter\..+\.(?:clean|smudge|process)|(?:difftool|mergetool|browser|man)\..+\.cmd|gpg(?:\..+)?\.program|credential(?:\..+)?\.helper|interactive\.difffilter|uploadpack\.packobjectshook|remote\..+\.(?:uploadpack|receivepack|vcs)|submodule\..+\.update|alias\..+|trailer\..+\.(?:cmd|command))$/i;
/** Settings that name a folder of programs, or let an address be one. */
const programSettings = /^(?:core\.hookspath|init\.templatedir|protocol\.ext\.allow|core\.worktree|include(?:if\..+)?\.path)$/i;
/** Options whose value git runs. */
const commandOptions = [
  'upload-pack',
  'receive-pack',
  'exec',
  'extcmd',
  'open-files-in-pager',
  'tree-filter',
  'index-filter',
  'env-filter',
];

export function git(shell: Shell, { name, args }: Invocation): void {
  const before = readOptions(args, { short: 'Cc', long: ['git-dir', 'work-tree', 'exec-path', 'config-env'], stopsAtOperand: true });
  const [verb, ...rest] = before.operands;
  for (const setting of before.values.get('c') ?? []) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(setting.text) ?? [];
    if (key !== undefined) judgeSetting(shell, name, key, { ...setting, text: value! });
  }
  if (valueOf(before, 'exec-path')) shell.findings.add('library_injection', `${name} --exec-path says where it takes its programs from`);
  if (valueOf(before, 'config-env')) shell.findings.add('dynamic_command', `${name} takes a setting from the environment`);
  for (const { text } of rest) {
    // Its arguments stand between blanks; `% ` is a blank inside of one.
    if (/^ext::/i.test(text))
      shell.runCommand(
        text
          .slice(5)
          .replaceAll('% ', '\0')
          .split(' ')
          .map((word) => plain(word.replaceAll('\0', ' '))),
        null,
      );
  }
  judgeVerb(shell, name, verb?.text ?? '', rest);
}

function judgeSetting(shell: Shell, name: string, key: string, value: Field): void {
  const { text } = value;
  if (commandSettings.test(key)) {
    // `!` marks a command; an alias without it is a command of git.
    const isAlias = /^alias\./i.test(key);
    if (isAlias && !text.startsWith('!')) shell.runText({ ...value, text: `git ${text}` }, `an alias of ${name}`);
    else shell.runText({ ...value, text: text.replace(/^!/, '') }, `the setting ${key} of ${name}`);
  } else if (programSettings.test(key) && !/^(?:never|user|false|)$/i.test(text)) {
    shell.findings.add('library_injection', `${name} takes programs from ${shown(text)} by the setting ${key}`);
  }
}

function judgeVerb(shell: Shell, name: string, verb: string, rest: readonly Field[]): void {
  const options = readOptions(rest, { short: 'mxu', long: commandOptions });
  const warn = (what: string) => shell.findings.add('history_rewrite', `${name} ${verb} ${what}`);
  for (const option of commandOptions) {
    for (const command of options.values.get(option) ?? []) shell.runText(command, `${name} ${verb} --${option}`);
  }
  const behind = (word: string) => rest.slice(rest.findIndex(({ text }) => text === word) + 1);
  switch (verb) {
    case 'push':
      if (has(options, 'f', 'force', 'mirror', 'delete', 'd') || options.operands.some(({ text }) => /^[+:]/.test(text))) {
        warn('replaces or deletes what others have');
      }
      return;
    case 'reset':
      if (has(options, 'hard')) warn('drops changes that are kept nowhere else');
      return;
    case 'clean':
      if (has(options, 'f', 'force')) warn('deletes files that are kept nowhere else');
      return;
    case 'filter-branch':
    case 'filter-repo':
      return warn('rewrites history');
    case 'reflog':
      if (options.operands.some(({ text }) => text === 'expire' || text === 'delete')) warn('deletes what undoing needs');
      return;
    case 'config': {
      const [key, value] = options.operands.filter(({ text }) => text !== 'set');
      if (key && value) judgeSetting(shell, name, key.text, value);
      return;
    }
    case 'rebase':
    case 'difftool':
    case 'clone':
    case 'fetch': {
      const letter = verb === 'rebase' || verb === 'difftool' ? 'x' : 'u';
      for (const command of options.values.get(letter) ?? []) shell.runText(command, `${name} ${verb} -${letter}`);
      return;
    }
    case 'bisect':
      if (rest[0]?.text === 'run') shell.runCommand(rest.slice(1), null);
      return;
    case 'submodule': {
      const script = behind('foreach').filter(({ text }) => text !== '--recursive' && text !== '--quiet');
      if (rest.some(({ text }) => text === 'foreach') && script.length > 0) shell.runText(joined(script, ' '), `${name} submodule foreach`);
    }
  }
}
