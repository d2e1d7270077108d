// Rules of commands that run code, change accounts or stop the machine and what runs on it. Adds to the findings; no I/O.
import type { Invocation, Shell } from './analysis-context.ts';
import { readOptions, textOf } from './analysis-options.ts';
import { git } from './analysis-rules-git.ts';
import type { SignCode } from './analysis-signs.ts';
import { joined, plain, separator, unknown, type Field } from './analysis-words.ts';

type Rule = (shell: Shell, invocation: Invocation) => Field | void;

/** A sign when the arguments, joined by blanks, look like this. */
const sign =
  (code: SignCode, detail: string, when: RegExp = /^/): Rule =>
  (shell, { name, args }) => {
    if (when.test(textOf(args))) shell.findings.add(code, `${name} ${detail}`);
  };

/** Options after which an interpreter is given its program. */
const programOptions: Readonly<Record<string, RegExp>> = {
  python: /^-[bBdEiIOqsSuvx]*c(.*)$/,
  perl: /^-[a-zA-Z0]*[eE](.*)$/,
  ruby: /^-[a-z]*e(.*)$/,
  node: /^(?:-[pe]{1,2}|--eval|--print)(?:=(.*))?$/,
  deno: /^eval$/,
  bun: /^(?:-e|--eval|-p|--print)$/,
  php: /^-[rBRE](.*)$/,
  lua: /^-e(.*)$/,
  osascript: /^-e$/,
  rscript: /^-e$/,
  tclsh: /^-c$/,
  pwsh: /^-(?:c|co\w*|e|en\w*|ec)$/i,
  powershell: /^-(?:c|co\w*|e|en\w*|ec)$/i,
  cmd: /^\/[ckr]/i,
  awk: /(?!)/,
};
const serving: readonly RegExp[] = [
  /^(?:.* )?-[bBdEiIOqsSuvx]*m ?(?:http\.server|SimpleHTTPServer|CGIHTTPServer|pyftpdlib|uvicorn|gunicorn|flask)\b/,
  /^(?:.* )?-S ?\S*:\d+/, // php -S 0.0.0.0:8000
  /^(?:.* )?-run(?: |.*)-e ?httpd/, // ruby -run -e httpd
];

const interpret: Rule = (shell, { name, args, stdin }) => {
  const language = name.replace(/[.\d]+$/, '');
  const text = textOf(args);
  if (language !== 'node' && serving.some((pattern) => pattern.test(text))) {
    shell.findings.add('open_server', `${name} waits for connections`);
    return;
  }
  const option = programOptions[language] ?? /(?!)/;
  for (const [index, arg] of args.entries()) {
    const match = option.exec(arg.text);
    // What follows the program's own file are arguments of the program.
    if (!match && !arg.text.startsWith('-') && language !== 'deno') break;
    if (match)
      return runCode(
        shell,
        name,
        match[1] ? { ...arg, text: match[1] } : args[index + 1],
        /^-e(?:n|c)?/i.test(arg.text) && /^(?:pwsh|powershell)$/.test(language),
      );
  }
  const file = readOptions(args, { short: 'mWX', stopsAtOperand: true }).operands[0];
  const content = file && file.text !== '-' ? shell.contentOf(shell.path(file)) : stdin;
  if (content && (!file || file.text === '-' || content !== stdin) && !args.some((arg) => arg.text.startsWith('-m')))
    runCode(shell, name, content, false);
};

function runCode({ findings }: Shell, name: string, code: Field | undefined, isEncoded: boolean): void {
  if (code?.downloaded) findings.add('pipe_to_shell', `${name} runs what comes from the network`);
  if (code?.decoded || isEncoded) findings.add('obfuscated_command', `${name} runs what an encoding hides`);
  findings.add('inline_code', `${name} runs a program that stands in the command; it is not looked into`);
}

const awk: Rule = (shell, { name, args }) => {
  const { operands } = readOptions(args, { short: 'fFv' });
  if (/system\s*\(|\|\s*getline|\|\s*"|"\s*\|/.test(operands[0]?.text.slice(0, 4_096) ?? ''))
    shell.findings.add('inline_code', `${name} runs commands from its program`);
};

/** `:!command` and `-c '!command'` of editors. */
const editor: Rule = (shell, { name, args }) => {
  for (const arg of args) {
    const command = /^(?:-c|\+)?:?\s*(?:silent\s+)?!(.+)$/s.exec(arg.text)?.[1];
    if (command) shell.runText({ ...arg, text: command }, name);
  }
};

const alias: Rule = (shell, { args }) => {
  for (const arg of args) {
    const [, name, text] = /^([^=]+)=(.*)$/s.exec(arg.text) ?? [];
    if (name && text) shell.defineAlias(name, { ...arg, text });
  }
};

const declare: Rule = (shell, { args }) => {
  for (const arg of args) {
    const [, name, text] = /^([A-Za-z_]\w*)=(.*)$/s.exec(arg.text) ?? [];
    if (name === 'HISTFILE' || name === 'HISTSIZE')
      shell.findings.add('cover_tracks', `${name} is changed, so that commands are not remembered`);
    if (name && text !== undefined) shell.scope.assign(name, { ...arg, text });
  }
};

const positions: Rule = (shell, { name, args, stdin }) => {
  const at = args.findIndex(({ text }) => text === '--');
  const given = at < 0 ? args.filter(({ text }) => !/^[-+]/.test(text)) : args.slice(at + 1);
  if (given.length > 0) for (const every of ['@', '*']) shell.scope.assign(every, joined(given, separator));
  for (const [index, value] of given.slice(0, 9).entries()) shell.scope.assign(String(index + 1), value);
  return declare(shell, { name, args, stdin });
};

const read: Rule = (shell, { args, stdin }) => {
  for (const { text } of readOptions(args, { short: 'adinNptu' }).operands)
    shell.scope.assign(text, stdin ? { ...stdin, text: stdin.text.trim() } : plain(unknown));
  return stdin ?? plain('');
};

const enter: Rule = (shell, { args }) => {
  const folder = readOptions(args).operands[0] ?? plain('~');
  shell.enter(folder);
};

const kill: Rule = (shell, { name, args }) => {
  const targets = args.map(({ text }) => text).filter((text) => !/^-(?:[A-Z]+|\d|[12]\d|3[01]|s|n)$/.test(text) || text === '-1');
  if (targets.at(-1) === '-1' || targets.at(-1) === '1') shell.findings.add('system_control', `${name} ends every process`);
};

const services: Rule = (shell, { name, args }) => {
  const text = textOf(args);
  if (/\b(?:stop|disable|mask|kill|poweroff|reboot|halt|rescue|emergency|isolate|unload|bootout|remove|delete)\b/.test(text)) {
    shell.findings.add('system_control', `${name} stops what runs on the machine`);
  }
  if (/\b(?:enable|load|bootstrap|link)\b/.test(text)) shell.findings.add('persistence', `${name} has something run at every start`);
};

export const interpreters = Object.keys(programOptions);
const each = (names: readonly string[], rule: Rule): [string, Rule][] => names.map((name) => [name, rule]);

export const systemRules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...each(
    interpreters.filter((name) => name !== 'awk'),
    interpret,
  ),
  ...each(['pypy', 'ipython', 'nodejs', 'jruby', 'luajit'], interpret),
  ...each(['awk', 'gawk', 'mawk', 'nawk'], awk),
  ...each(['git', 'hub'], git),
  ...each(['vi', 'vim', 'nvim', 'ex', 'view', 'less', 'man'], editor),
  ...each(['shutdown', 'reboot', 'halt', 'poweroff', 'telinit'], sign('system_control', 'stops the machine')),
  ['init', sign('system_control', 'stops the machine', /^[06]$/)],
  ...each(['killall', 'pkill', 'killall5'], sign('system_control', 'ends processes by name')),
  ['kill', kill],
  ...each(['systemctl', 'service', 'launchctl', 'rc-service', 'sc', 'chkconfig', 'update-rc.d'], services),
  ...each(
    [
      'iptables',
      'ip6tables',
      'nft',
      'ufw',
      'firewall-cmd',
      'pfctl',
      'setenforce',
      'sysctl',
      'insmod',
      'modprobe',
      'rmmod',
      'swapoff',
      'umount',
      'kexec',
    ],
    sign('system_control', 'changes how the machine works', /^(?!(?:-L|-S|list|status|-a$|-n$|--state))./),
  ),
  ...each(
    [
      'useradd',
      'adduser',
      'userdel',
      'deluser',
      'usermod',
      'groupadd',
      'gpasswd',
      'passwd',
      'chpasswd',
      'visudo',
      'vipw',
      'chsh',
      'dscl',
      'newusers',
    ],
    sign('account_change', 'changes who may log in and what they may do'),
  ),
  ['history', sign('cover_tracks', 'forgets what was done', /^-[cdw]/)],
  ['journalctl', sign('cover_tracks', 'deletes records of what happened', /--vacuum|--rotate/)],
  ['net', sign('account_change', 'changes who may log in and what they may do', /^(?:user|localgroup)\b.*\/(?:add|delete)/i)],
  ...each(['rundll32', 'mshta', 'regsvr32', 'installutil'], sign('inline_code', 'runs a program that is not looked into')),
  ['reg', sign('system_control', 'changes how the machine works', /^(?:add|delete|import|restore)\b/i)],
  ...each(['bcdedit', 'vssadmin', 'netsh'], sign('system_control', 'changes how the machine works', /\b(?:delete|set|add|reset)\b/i)),
  ['wevtutil', sign('cover_tracks', 'deletes records of what happened', /^c/)],
  ...each(
    ['terraform', 'tofu', 'pulumi', 'cdk', 'terragrunt', 'vagrant'],
    sign('infrastructure_destroy', 'destroys what it manages', /\b(?:destroy|down)\b|-destroy/),
  ),
  ['helm', sign('infrastructure_destroy', 'deletes what runs', /^(?:uninstall|delete)\b/)],
  ...each(['dropdb', 'dropuser'], sign('infrastructure_destroy', 'deletes what is kept')),
  ['mysqladmin', sign('infrastructure_destroy', 'deletes what is kept', /\bdrop\b/)],
  ...each(['insserv', 'schtasks', 'systemd-tmpfiles'], sign('persistence', 'has something run later')),
  ['alias', alias],
  ...each(['export', 'declare', 'local', 'typeset', 'readonly'], declare),
  ['unset', sign('cover_tracks', 'makes the shell forget what was done', /HISTFILE/)],
  ['set', positions],
  ['read', read],
  ...each(['cd', 'pushd', 'chdir'], enter),
]);
