// What the arguments of a call say about its risk: commands, paths, addresses, hidden characters. Pure; never throws for what callers send.
import { judgeReading, judgeWriting } from './analysis-files.ts';
import { judgeAddress } from './analysis-network.ts';
import { normalPath, isPersistent, isSecret, isSystem } from './analysis-paths.ts';
import { analyseCommand, analyseScript } from './analysis-shell.ts';
import { createFindings, shown } from './analysis-signs.ts';
import type { Capability, RiskSign, ToolCategory } from './tool.ts';

export interface AnalysedCall {
  readonly category: ToolCategory;
  readonly capability: Capability;
  readonly arguments: unknown;
}

/** Names of arguments, in lower case without `_` and `-`. */
const commandNames = /^(?:cmd|commands?|commandline|shellcommand|shell|bash|script|shellscript|cmdline|execute|run|program)$/;
/** Hold commands only in tools that run commands. */
const weakCommandNames = /^(?:code|input|line|lines|text|argv|exec|source|content|body|query|stdin|task)$/;
const argumentNames = /^(?:args|arguments|argv|parameters|params)$/;
const folderNames = /^(?:cwd|workdir|workingdir|workingdirectory|dir|directory|folder)$/;
const pathNames =
  /^(?:(?:file|old|new|source|src|destination|dest|target|from|to|input|output|in|out|root|base|local|remote|notebook|absolute|relative)?(?:path|file|filename|filepath|folder|directory|dir)s?|source|destination|src|dest|target|uri|cwd|workdir|root|files?|paths?|glob)$/;
/** Control characters but tab and line ends, format characters, and tags. */
const invisible = new RegExp(
  String.raw`[\0-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]`,
  'u',
);
const maxNodes = 50_000;
const maxDepth = 64;

export function analyseCall({ category, capability, arguments: args }: AnalysedCall): RiskSign[] {
  const findings = createFindings();
  const runsCommands = category === 'command_execution';
  const touchesFiles = category === 'file_operation' || category === 'file_search';
  let nodes = 0;

  function text(value: string, key: string, at: string, folder: string | null): void {
    findings.at = at;
    const hidden = invisible.exec(value);
    if (hidden) {
      const code = hidden[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
      findings.add('hidden_characters', `holds U+${code}, which people do not see`);
    }
    judgeAddress({ findings }, value);
    if (commandNames.test(key) || (runsCommands && weakCommandNames.test(key))) analyseScript(value, findings, folder);
    else if (pathNames.test(key) || (touchesFiles && key === '')) path(value, folder);
  }

  function path(given: string, folder: string | null): void {
    const value = given.trim();
    if (/^(?!file:)[a-z][a-z0-9+.-]*:\/\//i.test(value) || value.includes('\n')) return;
    const normal = normalPath(value, folder);
    if (capability === 'read' || category === 'file_search') {
      judgeReading({ findings }, normal);
      if (isSystem(normal) && !isSecret(normal)) findings.add('system_file_read', `${shown(normal)} belongs to the system`);
    } else if (touchesFiles || isSecret(normal) || isPersistent(normal) || isSystem(normal))
      judgeWriting({ findings }, normal, 'it may change');
  }

  /** `key` of a value in a list is that of the list. */
  function look(value: unknown, key: string, at: string, depth: number, folder: string | null): void {
    if (++nodes > maxNodes || depth > maxDepth) {
      findings.at = 'arguments';
      findings.add('too_complex', `more than ${maxNodes} values, or ${maxDepth} levels of them`);
      return;
    }
    if (typeof value === 'string') return text(value, key, at, folder);
    if (Array.isArray(value)) {
      if (
        value.length > 0 &&
        value.every((each) => typeof each === 'string') &&
        (commandNames.test(key) || (runsCommands && argumentNames.test(key)))
      ) {
        findings.at = at;
        return commandList(value, key, folder);
      }
      for (const [index, each] of value.entries()) look(each, key, `${at}[${index}]`, depth + 1, folder);
    } else if (typeof value === 'object' && value !== null) object(value as Record<string, unknown>, at, depth, folder);
  }

  /** `["rm", "-rf", "/"]` is one command; `["ls", "rm -rf /"]` may be two. */
  function commandList(list: readonly string[], key: string, folder: string | null): void {
    analyseCommand(list, findings, folder);
    if (key === 'commands' || list.some((each) => /\s/.test(each))) for (const each of list) analyseScript(each, findings, folder);
  }

  function object(value: Readonly<Record<string, unknown>>, at: string, depth: number, outer: string | null): void {
    const entries = Object.entries(value).map(([name, inner]) => ({ name, key: name.toLowerCase().replace(/[_-]/g, ''), inner }));
    const given = entries.find(({ key, inner }) => folderNames.test(key) && typeof inner === 'string');
    const folder = given ? normalPath(given.inner as string, outer) : outer;
    const command = entries.find(({ key, inner }) => commandNames.test(key) && typeof inner === 'string');
    const list = entries.find(
      ({ key, inner }) => argumentNames.test(key) && Array.isArray(inner) && inner.every((each) => typeof each === 'string'),
    );
    // `{ command: "rm", args: ["-rf", "/"] }`: one command in two places.
    if (command && list) {
      findings.at = `${at}.${command.name}`;
      analyseCommand([command.inner as string, ...(list.inner as string[])], findings, folder);
    }
    const named = entries.some(({ key }) => commandNames.test(key) || weakCommandNames.test(key) || argumentNames.test(key));
    for (const { name, key, inner } of entries) {
      if (command && inner === list?.inner) continue;
      // A tool that runs commands and names its argument in a way of its own.
      if (runsCommands && !named && typeof inner === 'string' && !folderNames.test(key)) {
        findings.at = `${at}.${name}`;
        analyseScript(inner, findings, folder);
      }
      look(inner, key, `${at}.${name}`, depth + 1, given?.name === name ? outer : folder);
    }
  }

  try {
    look(args, '', 'arguments', 0, null);
  } catch (error) {
    // What cannot be looked at is no better than what looks bad.
    findings.at = 'arguments';
    findings.add('too_complex', `could not be looked at (${error instanceof Error ? error.name : 'error'})`);
  }
  return [...findings.signs];
}
