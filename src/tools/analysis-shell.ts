// Walks a shell script as a shell would, without running it, and hands every command it comes across to the rules. Decides nothing itself.
import { forEachChild, parse, type ArrayValue, type Command, type ParsedScript, type Redirection, type SyntaxNode } from 'unbash';
import { judgeCommand } from './analysis-commands.ts';
import { normalPath, withSlashes } from './analysis-paths.ts';
import { shown, type Findings } from './analysis-signs.ts';
import type { Shell } from './analysis-context.ts';
import {
  expand,
  expandParts,
  expandWhole,
  joined,
  maxTextLength,
  plain,
  separator,
  unknown,
  unknownField,
  type Field,
  type Scope,
} from './analysis-words.ts';
import { judgeReading, judgeWriting } from './analysis-files.ts';
import { holdsCommand, injects, isForkBomb } from './analysis-patterns.ts';

/** All scripts within one another. */
const maxTotalLength = 4 * maxTextLength;
/** Characters that expansions of words make. */
const maxExpanded = 16 * maxTextLength;
const maxCommands = 2_000;
const maxDepth = 8;
const maxValues = 8;
/** Process substitutions get the names a shell gives them. */
const firstDescriptor = 63;

const nothing = plain('');

export function analyseScript(text: string, findings: Findings, startFolder: string | null): void {
  bounded(findings, () => createWalker(findings, startFolder).runText(plain(withSlashes(text)), 'the command'));
}

/** The same for a program with its arguments, which no shell takes apart. */
export function analyseCommand(argv: readonly string[], findings: Findings, startFolder: string | null): void {
  bounded(findings, () => createWalker(findings, startFolder).runCommand(argv.map(plain), null));
}

/** Thrown when a limit is reached: what lies behind it could be anything. */
class TooComplex extends Error {}

function bounded(findings: Findings, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof TooComplex)) throw error;
    findings.add('too_complex', error.message);
  }
}

function createWalker(findings: Findings, startFolder: string | null): Shell {
  const variables = new Map<string, Field[]>();
  const functions = new Map<string, SyntaxNode>();
  const calling = new Set<string>();
  const aliases = new Map<string, Field>();
  const files = new Map<string, Field>();
  /** By the path of a `>(…)`: what reads it. */
  const readers = new Map<string, ParsedScript>();
  let folder = startFolder;
  let depth = 0;
  let commands = 0;
  let read = 0;
  let spent = 0;

  const scope: Scope = {
    valuesOf: (name) => variables.get(name),
    assign(name, value) {
      const values = variables.get(name) ?? [];
      if (values.length < maxValues) variables.set(name, [...values, value]);
      else variables.set(name, [...values.slice(1), unknownField]);
    },
    substitute: (script) => deeper(() => walkScript(script, null)),
    spend(length) {
      spent += length + 1;
      if (spent > maxExpanded) throw new TooComplex('variables that make very long texts');
    },
    pipe(content, reader) {
      const path = `/dev/fd/${firstDescriptor + files.size}`;
      files.set(path, content);
      if (reader) readers.set(path, reader);
      return path;
    },
  };

  const shell: Shell = {
    findings,
    scope,
    path: ({ text }) => normalPath(text, folder),
    contentOf: (path) => files.get(path),
    write,
    enter: ({ text }) => void (folder = normalPath(text, folder)),
    defineAlias: (name, text) => void aliases.set(name, text),
    runText,
    runCommand,
  };

  function write(path: string, content: Field): void {
    files.set(path, content);
    const reader = readers.get(path);
    if (reader) deeper(() => walkScript(reader, content));
  }

  function deeper(work: () => Field): Field {
    if (depth >= maxDepth) throw new TooComplex(`commands inside commands, more than ${maxDepth} levels`);
    depth++;
    try {
      return work();
    } finally {
      depth--;
    }
  }

  function runText(script: Field, means: string, args: readonly Field[] = [], stdin: Field | null = null): Field {
    if (script.downloaded) findings.add('pipe_to_shell', `${means} runs what comes from the network`);
    if (script.decoded) findings.add('obfuscated_command', `${means} runs what an encoding hides`);
    if (script.text.replaceAll(unknown, '').trim() === '') {
      if (script.text !== '' && !script.downloaded && !script.decoded) {
        findings.add('dynamic_command', `${means} is known only when it runs`);
      }
      return unknownField;
    }
    read += script.text.length;
    if (script.text.length > maxTextLength || read > maxTotalLength) {
      throw new TooComplex(`${means} is too long; ${maxTextLength} characters are looked at`);
    }
    return deeper(() => withPositions(args, () => walkScript(parse(script.text.replaceAll(separator, ' ')), stdin)));
  }

  /** `$1`… and `$@` as a function or a script sees them. */
  function withPositions(args: readonly Field[], work: () => Field): Field {
    const names = ['@', '*', ...'123456789'];
    const before = names.map((name) => [name, variables.get(name)] as const);
    for (const name of names) variables.delete(name);
    for (const [index, arg] of args.slice(0, 9).entries()) variables.set(String(index + 1), [arg]);
    if (args.length > 0) for (const name of ['@', '*']) variables.set(name, [joined(args, separator)]);
    const result = work();
    for (const [name, values] of before) {
      if (values) variables.set(name, values);
      else variables.delete(name);
    }
    return result;
  }

  function walkScript(script: ParsedScript, stdin: Field | null): Field {
    for (const { message } of (script.errors ?? []).slice(0, 1))
      findings.add('unparsable_command', `it is not a shell command: ${message}`);
    return walkAll(script.commands, stdin);
  }

  const walkAll = (statements: readonly SyntaxNode[], stdin: Field | null): Field =>
    joined(statements.map((statement) => walk(statement, stdin)));

  /** What it prints, as far as that is known. */
  function walk(node: SyntaxNode, stdin: Field | null): Field {
    switch (node.type) {
      case 'Command':
        return walkCommand(node, stdin);
      case 'Pipeline': {
        let passed = stdin;
        for (const each of node.commands) passed = walk(each, passed);
        return passed ?? nothing;
      }
      case 'Statement':
        return walk(node.command, stdin);
      case 'Redirected': {
        const given = redirectedInput(node.redirects, stdin);
        const printed = walk(node.command, given);
        redirectOutput(node.redirects, printed);
        return printed;
      }
      case 'Function': {
        const name = node.name.value;
        functions.set(name, node.body);
        if (isForkBomb(name, node.body)) findings.add('fork_bomb', `the function ${shown(name)} starts itself again and again`);
        withPositions([unknownField], () => call(name));
        return nothing;
      }
      case 'For':
      case 'Select': {
        const words = node.wordlist?.flatMap((word) => expand(word, scope).flat()) ?? [unknownField];
        for (const value of words) scope.assign(node.name.value, value);
        return walk(node.body, stdin);
      }
      case 'Coproc':
        return walk(node.body, stdin);
      default:
        return walkChildren(node, stdin);
    }
  }

  function walkChildren(node: SyntaxNode, stdin: Field | null): Field {
    const printed: Field[] = [];
    forEachChild(node, (child) => {
      printed.push(child.type === 'Script' ? scope.substitute(child) : walk(child, stdin));
    });
    return joined(printed);
  }

  function call(name: string): Field {
    const body = functions.get(name);
    if (!body || calling.has(name)) return unknownField;
    calling.add(name);
    const printed = deeper(() => walk(body, null));
    calling.delete(name);
    return printed;
  }

  function walkCommand(node: Command, stdin: Field | null): Field {
    if (++commands > maxCommands) throw new TooComplex(`more than ${maxCommands} commands`);
    for (const each of node.prefix) {
      if (each.type !== 'Assignment') continue;
      if (each.index) expandWhole(each.index, scope);
      const values = each.value.type === 'Word' ? expandWhole(each.value, scope) : [elementsOf(each.value)];
      const before = (each.append && variables.get(each.name)) || [nothing];
      for (const value of before.flatMap((start) => values.map((end) => joined([start, end])))) set(each.name, value);
    }
    const given = redirectedInput(node.redirects, stdin);
    const args = node.args.flatMap((arg) => {
      if (arg.type === 'Word') return expand(arg, scope).flat();
      const value = arg.value.type === 'Word' ? expandWhole(arg.value, scope) : [elementsOf(arg.value)];
      for (const each of value) set(arg.name, each);
      return value.map((each) => ({ ...each, text: `${arg.name}=${each.text}` }));
    });
    const names = node.name ? expand(node.name, scope) : [];
    let printed = nothing;
    for (const fields of names) printed = runCommand([...fields, ...args], given);
    redirectOutput(node.redirects, printed, names[0]?.[0]?.text);
    return printed;
  }

  function set(name: string, value: Field): void {
    scope.assign(name, value);
    if (injects(name, value.text)) findings.add('library_injection', `${name} is set, which makes programs load or run something else`);
    if (holdsCommand(name)) runText(value, `the variable ${name}`);
  }

  /** An array as one value, whose elements stay apart. */
  const elementsOf = ({ elements }: ArrayValue): Field =>
    joined(
      elements.flatMap((word) => expand(word, scope).flat()).map((field) => ({ ...field, text: field.text.replace(/^\[[^\]]*\]=/, '') })),
      separator,
    );

  function runCommand(argv: readonly Field[], stdin: Field | null): Field {
    const [first, ...args] = argv;
    if (!first) return stdin ?? nothing;
    const alias = aliases.get(first.text);
    if (alias && !calling.has(`alias ${first.text}`)) {
      calling.add(`alias ${first.text}`);
      // After a blank at its end the next word may be an alias, too.
      const next = /\s$/.test(alias.text) ? aliases.get(args[0]?.text ?? '') : undefined;
      const printed = runText(joined([alias, ...(next ? [next, ...args.slice(1)] : args)], ' '), `the alias ${shown(first.text)}`);
      calling.delete(`alias ${first.text}`);
      return printed;
    }
    if (functions.has(first.text)) return withPositions(args, () => call(first.text));
    return deeper(() => judgeCommand(shell, first, args, stdin));
  }

  function redirectedInput(redirects: readonly Redirection[], stdin: Field | null): Field | null {
    let given = stdin;
    for (const each of redirects) {
      if (each.type === 'HereDoc') given = each.body.parts ? expandParts(each.body.parts, scope) : plain(each.body.text);
      else if (!each.target) continue;
      else if (each.type === 'HereString') given = joined(expandWhole(each.target, scope));
      else if (each.operator === '<' || each.operator === '<>') {
        for (const file of expandWhole(each.target, scope)) {
          const path = shell.path(file);
          judgeReading(shell, path);
          given = files.get(path) ?? unknownField;
        }
      }
    }
    return given;
  }

  function redirectOutput(redirects: readonly Redirection[], printed: Field, command = ''): void {
    for (const each of redirects) {
      if (each.type !== 'Redirect' || !each.target) continue;
      for (const file of expandWhole(each.target, scope)) {
        const path = shell.path(file);
        if (path.startsWith('/dev/tcp/') || path.startsWith('/dev/udp/')) {
          findings.add('reverse_shell', `${shown(command)} is connected to the network address ${shown(file.text)}`);
        } else if (each.operator.startsWith('>') || each.operator.startsWith('&>')) {
          if (/^(?:\d+|-)$/.test(file.text)) continue; // another descriptor
          judgeWriting(shell, path, 'output is written to');
          write(path, each.operator.includes('>>') ? joined([files.get(path) ?? nothing, printed]) : printed);
        }
      }
    }
  }

  return shell;
}
