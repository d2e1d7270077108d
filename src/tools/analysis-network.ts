// Rules of commands that reach through the network, and addresses in arguments. Adds to the findings; no I/O.
import type { Invocation, Shell } from './analysis-context.ts';
import { judgeReading, judgeWriting } from './analysis-files.ts';
import { has, readOptions, textOf, valueOf } from './analysis-options.ts';
import { shown, type Findings } from './analysis-signs.ts';
import { plain, unknown, type Field } from './analysis-words.ts';

type Rule = (shell: Shell, invocation: Invocation) => Field | void;

const metadataHosts = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '100.100.100.200',
  '[fd00:ec2::254]',
  '[::ffff:a9fe:a9fe]',
  'metadata.google.internal',
  'metadata',
  'instance-data',
  'metadata.azure.com',
]);

/** A host is shorter. */
const maxAddressLength = 300;

/** Addresses at which a cloud gives out the keys of a machine, however they are written. */
export function judgeAddress({ findings }: { readonly findings: Findings }, text: string): void {
  const hasScheme = /^[a-z][a-z0-9+.-]{0,20}:\/\//i.test(text);
  if (!hasScheme && (text.length > maxAddressLength || !/^[\w[][\w.:[\]-]*(?:\/|$)/.test(text))) return;
  const start = text.slice(0, maxAddressLength);
  const url = hasScheme ? start.replace(/^[a-z0-9+.-]+:/i, 'http:') : `http://${start}`;
  if (!URL.canParse(url)) return;
  const host = new URL(url).hostname.replace(/\.$/, '');
  if (!metadataHosts.has(host) || ((host === 'metadata' || host === 'instance-data') && !hasScheme)) return;
  findings.add('cloud_metadata', `${shown(text)} is where a cloud gives out the keys of a machine`);
}

const downloaded: Field = { text: unknown, downloaded: true, decoded: false };

const curl: Rule = (shell, { name, args }) => {
  const data = ['data', 'data-binary', 'data-raw', 'data-urlencode', 'form', 'json', 'upload-file'];
  const other = [
    'output',
    'request',
    'header',
    'user',
    'user-agent',
    'max-time',
    'connect-timeout',
    'retry',
    'proxy',
    'cookie',
    'config',
    'url',
    'output-dir',
    'cacert',
    'cert',
    'key',
    'write-out',
    'referer',
    'resolve',
  ];
  const options = readOptions(args, { short: 'oXHdFTuAmxbKeEwrCcDtyYzPQ', long: [...data, ...other] });
  for (const [option, values] of options.values) {
    if (!['d', 'F', 'T'].includes(option) && !data.includes(option)) continue;
    for (const value of values) {
      const file = /^(?:[^=]*=)?[@<](.+)/.exec(value.text)?.[1] ?? (['T', 'upload-file'].includes(option) ? value.text : undefined);
      if (file === undefined) continue;
      if (file !== '-') judgeReading(shell, shell.path({ ...value, text: file.replace(/;.*/, '') }));
      shell.findings.add('data_upload', `${name} sends ${shown(file)} through the network`);
    }
  }
  const urls = [...options.operands, ...(options.values.get('url') ?? [])];
  for (const { text } of urls) if (/^file:/i.test(text)) judgeReading(shell, shell.path(plain(text)));
  const output = valueOf(options, 'o', 'output');
  if (output && output.text !== '-' && output.text !== '/dev/stdout') {
    keep(shell, name, output);
    return plain('');
  }
  if (has(options, 'O', 'remote-name', 'remote-name-all')) {
    for (const url of urls) keep(shell, name, nameIn(url));
    return plain('');
  }
  return downloaded;
};

const wget: Rule = (shell, { name, args }) => {
  const options = readOptions(args, {
    short: 'OoaPUtTQeiB',
    long: [
      'output-document',
      'output-file',
      'directory-prefix',
      'user-agent',
      'post-file',
      'post-data',
      'body-file',
      'header',
      'tries',
      'timeout',
      'method',
    ],
  });
  const upload = valueOf(options, 'post-file', 'body-file');
  if (upload) {
    judgeReading(shell, shell.path(upload));
    shell.findings.add('data_upload', `${name} sends ${shown(upload.text)} through the network`);
  }
  const output = valueOf(options, 'O', 'output-document');
  if (output?.text === '-' || output?.text === '/dev/stdout') return downloaded;
  const folder = valueOf(options, 'P', 'directory-prefix');
  for (const url of options.operands) {
    const own = nameIn(url);
    keep(shell, name, output ?? (folder ? { ...own, text: `${folder.text}/${own.text}` } : own));
  }
  return plain('');
};

const nameIn = (url: Field): Field => ({ ...url, text: /([^/?#]+)(?:[?#].*)?$/.exec(url.text)?.[1] ?? unknown });

function keep(shell: Shell, name: string, file: Field): void {
  const path = shell.path(file);
  judgeWriting(shell, path, `${name} writes`);
  shell.write(path, downloaded);
}

const netcat: Rule = (shell, { name, args }) => {
  const options = readOptions(args, { short: 'ecpswgGiIoOqXxmM', long: ['exec', 'sh-exec', 'lua-exec', 'source-port', 'wait'] });
  if (has(options, 'e', 'c', 'exec', 'sh-exec', 'lua-exec'))
    shell.findings.add('reverse_shell', `${name} connects a command to the network`);
  if (has(options, 'l', 'listen')) shell.findings.add('open_server', `${name} waits for connections`);
  return downloaded;
};

const socat: Rule = (shell, { name, args }) => {
  for (const { text } of args) {
    if (/^(?:exec|system|shell):/i.test(text)) shell.findings.add('reverse_shell', `${name} connects a command to the network`);
    if (/-listen:|^[a-z0-9]*-l:/i.test(text)) shell.findings.add('open_server', `${name} waits for connections`);
  }
  return downloaded;
};

const server =
  (when: RegExp = /^/): Rule =>
  (shell, { name, args }) => {
    if (when.test(textOf(args))) shell.findings.add('open_server', `${name} waits for connections, or opens a way in`);
  };

const send: Rule = (shell, { name, args }) => {
  const { operands } = readOptions(args, { short: 'cFiJloPSBbDRsX' });
  const into = operands.at(-1)?.text ?? '';
  if (/^[^/]+:/.test(into)) shell.findings.add('data_upload', `${name} sends files to ${shown(into)}`);
  else if (operands.length > 1) shell.write(shell.path(operands.at(-1)!), downloaded);
};

const cloudCopy: Rule = (shell, { name, args }) => {
  const text = textOf(args);
  if (
    /\b(?:s3|gs|storage) .*(?:rb|rm|delete)\b|terminate-instances|delete-(?:stack|db-instance|bucket|cluster|table)|\bdelete\b/.test(text)
  ) {
    shell.findings.add('infrastructure_destroy', `${name} deletes what runs or is kept in a cloud`);
  }
  return downloaded;
};

export const networkRules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['curl', curl],
  ['wget', wget],
  ...[
    'fetch',
    'http',
    'https',
    'xh',
    'aria2c',
    'axel',
    'lynx',
    'w3m',
    'links',
    'get',
    'lwp-request',
    'lwp-download',
    'iwr',
    'irm',
    'invoke-webrequest',
    'invoke-restmethod',
    'tftp',
    'ftp',
  ].map((name): [string, Rule] => [name, () => downloaded]),
  ...['nc', 'ncat', 'netcat', 'nc.traditional', 'nc.openbsd'].map((name): [string, Rule] => [name, netcat]),
  ['socat', socat],
  ['scp', send],
  ['sftp', send],
  ...[
    'ngrok',
    'serve',
    'darkhttpd',
    'miniserve',
    'cloudflared',
    'localtunnel',
    'lt',
    'bore',
    'frpc',
    'chisel',
    'http-server',
    'httpd',
    'sshd',
    'dropbear',
    'telnetd',
    'vsftpd',
    'tcpserver',
  ].map((name): [string, Rule] => [name, server()]),
  ['caddy', server(/\b(?:file-server|reverse-proxy|run|start)\b/)],
  ['twistd', server(/\bweb\b/)],
  ['tailscale', server(/\b(?:funnel|serve)\b/)],
  ...['aws', 'gcloud', 'gsutil', 'az', 'doctl'].map((name): [string, Rule] => [name, cloudCopy]),
]);
