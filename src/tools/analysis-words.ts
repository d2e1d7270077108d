// Words of a shell command as the shell would expand them, as far as that is known without running anything. Pure; no I/O.
import { forEachChild, parse, type ParameterExpansionPart, type ParsedScript, type SyntaxNode, type Word, type WordPart } from 'unbash';

/** Separates the fields that an expansion falls into. */
export const separator = '\u0001';
/** Stands in texts for what is not known before the command runs. No command can contain it. */
export const unknown = '\0';
const maxAlternatives = 16;
/** Characters of a text that is followed. */
export const maxTextLength = 65_536;

/** A text, and where some of it came from. */
export interface Field {
  readonly text: string;
  /** By the network. */
  readonly downloaded: boolean;
  /** Out of an encoding that hides it. */
  readonly decoded: boolean;
}

export const plain = (text: string): Field => ({ text, downloaded: false, decoded: false });
export const unknownField = plain(unknown);
export function joined(fields: readonly Field[], between = ''): Field {
  // A script can double a text with every line.
  const length = fields.reduce((sum, { text }) => sum + text.length, 0);
  return {
    text: length > maxTextLength ? unknown : fields.map(({ text }) => text).join(between),
    downloaded: fields.some(({ downloaded }) => downloaded),
    decoded: fields.some(({ decoded }) => decoded),
  };
}

/** What a word may refer to. */
export interface Scope {
  /** Every value a variable of the script may have; undefined for one that the script does not set. */
  valuesOf(name: string): readonly Field[] | undefined;
  assign(name: string, value: Field): void;
  /** Looks into a command inside a word; gives what it prints. */
  substitute(script: ParsedScript): Field;
  /** The name of a file that holds what a command prints, or whose content commands read. */
  pipe(content: Field, reader?: ParsedScript): string;
  /** Counts what expansions make; throws when it is too much to follow. */
  spend(length: number): void;
}

/** Variables that a shell has without being told. */
const known: Readonly<Record<string, string>> = {
  HOME: '~',
  PWD: '.',
  IFS: ' ',
  SHELL: 'sh',
  BASH: 'bash',
  '@': '',
  '*': '',
  '#': '0',
  '?': '0',
};

/** Each alternative is a list of fields; more than one where a variable has had several values. */
export function expand(word: Word, scope: Scope): Field[][] {
  const parts = partsOf(word);
  const braces = expandBraces(parts);
  const alternatives =
    braces.length === 1 ? alternativesOf(braces[0]!, scope) : [braces.flatMap((each) => alternativesOf(each, scope)[0] ?? [])];
  const isQuoted = parts.some(({ type }) => type.endsWith('Quoted'));
  return alternatives.map((fields) =>
    fields.flatMap((field) => {
      scope.spend(field.text.length);
      return split(field, isQuoted);
    }),
  );
}

/** The same without splitting, as in assignments and redirections. */
export function expandWhole(word: Word, scope: Scope): Field[] {
  return alternativesOf(partsOf(word), scope)
    .flat()
    .map((field) => ({ ...field, text: field.text.replaceAll(separator, ' ') }));
}

/** Text with expansions, such as the body of a here-document. */
export const expandParts = (parts: readonly WordPart[], scope: Scope): Field =>
  joined(parts.map((part) => partValues(part, scope, true)[0] ?? unknownField));

const partsOf = (word: Word): readonly WordPart[] =>
  word.parts ?? [{ type: 'Literal', pos: word.pos, end: word.end, value: word.value, text: word.text }];

function split(field: Field, isQuoted: boolean): Field[] {
  if (!field.text.includes(separator)) return field.text === '' && !isQuoted ? [] : [field];
  return field.text.split(separator).flatMap((text) => (text === '' ? [] : [{ ...field, text }]));
}

function alternativesOf(parts: readonly WordPart[], scope: Scope): Field[][] {
  let results: Field[] = [plain('')];
  for (const part of parts) {
    const values = partValues(part, scope, false);
    results = results.flatMap((before) => values.map((value) => joined([before, value])));
    if (results.length > maxAlternatives) results = [...results.slice(0, maxAlternatives), unknownField];
  }
  return results.map((field) => [field]);
}

function partValues(part: WordPart, scope: Scope, isQuoted: boolean): Field[] {
  const unquoted = (values: readonly Field[]): Field[] =>
    isQuoted ? [...values] : values.map((value) => ({ ...value, text: splitAt(value.text, scope) }));
  switch (part.type) {
    case 'Literal':
    case 'SingleQuoted':
    case 'AnsiCQuoted':
    case 'Glob':
      return [plain(part.value)];
    case 'DoubleQuoted':
    case 'LocaleString': {
      let results: Field[] = [plain('')];
      for (const child of part.parts) {
        const values = partValues(child, scope, true);
        results = results.flatMap((before) => values.map((value) => joined([before, value]))).slice(0, maxAlternatives);
      }
      return results;
    }
    case 'SimpleExpansion':
      return unquoted(valuesOf(part.text.slice(1), scope));
    case 'ParameterExpansion':
      return unquoted(parameterValues(part, scope));
    case 'CommandExpansion':
      return unquoted([part.script ? trimmed(scope.substitute(part.script)) : unknownField]);
    case 'ProcessSubstitution':
      if (part.script && part.operator === '>') return [plain(scope.pipe(unknownField, part.script))];
      return [plain(scope.pipe(part.script ? scope.substitute(part.script) : unknownField))];
    case 'ExtendedGlob':
      return [plain('*')];
    case 'ArithmeticExpansion':
      if (part.expression) substituteIn(part.expression, scope);
      return [unknownField];
    case 'BraceExpansion':
      return [unknownField];
  }
}

function splitAt(text: string, scope: Scope): string {
  const own = (scope.valuesOf('IFS') ?? []).map((value) => value.text).join('');
  if (own === '') return text.replace(/[ \t\n]+/g, separator);
  return [...text].map((letter) => (` \t\n${own}`.includes(letter) ? separator : letter)).join('');
}

/** Looks into the commands inside a calculation, whose result nobody knows. */
function substituteIn(node: SyntaxNode, scope: Scope): void {
  if (node.type === 'Script') scope.substitute(node);
  else forEachChild(node, (child) => substituteIn(child, scope));
}

const trimmed = (field: Field): Field => ({ ...field, text: field.text.replace(/\n+$/, '') });

function valuesOf(name: string, scope: Scope): readonly Field[] {
  const set = scope.valuesOf(name);
  if (set && set.length > 0) return set;
  if (/^[1-9]$/.test(name)) return [plain('')];
  return [name in known ? plain(known[name]!) : unknownField];
}

function parameterValues({ parameter, prefix, operation }: ParameterExpansionPart, scope: Scope): readonly Field[] {
  if (prefix === '!') return [unknownField];
  if (prefix === '#') return [unknownField];
  const values = valuesOf(parameter, scope);
  switch (operation?.type) {
    case undefined:
      return values;
    case 'Default': {
      const operand = expandWhole(operation.operand, scope);
      if (operation.operator.endsWith('=')) for (const value of operand) scope.assign(parameter, value);
      if (operation.operator.endsWith('+')) return [plain(''), ...operand];
      if (operation.operator.endsWith('?')) return values;
      return scope.valuesOf(parameter) ? [...values, ...operand] : operand;
    }
    case 'Remove':
      // Of a path it usually takes an end; an end that hides a name leaves it unknown.
      return values.every(({ text }) => /^[~./]/.test(text)) ? values : [unknownField];
    default:
      return [unknownField];
  }
}

/** `a{b,c}` as the parts of `ab` and of `ac`; at most `room` of them. */
function expandBraces(parts: readonly WordPart[], room = maxAlternatives): (readonly WordPart[])[] {
  const at = parts.findIndex(({ type }) => type === 'BraceExpansion');
  if (at < 0) return [parts];
  const inside = alternativesIn(parts[at]!.text);
  if (!inside) return [parts];
  const results: (readonly WordPart[])[] = [];
  for (const text of inside) {
    if (results.length >= room) break;
    const [first] = parse(`: ${text}`).commands;
    const word = first?.command.type === 'Command' ? first.command.args[0] : undefined;
    const own = text === '' ? [] : word?.type === 'Word' ? partsOf(word) : [];
    results.push(...expandBraces([...parts.slice(0, at), ...own, ...parts.slice(at + 1)], room - results.length));
  }
  return results;
}

/** Texts between the commas of `{a,"b,c",{d,e}}`; null for a range such as `{1..9}`. */
function alternativesIn(text: string): string[] | null {
  const found: string[] = [];
  let depth = 0;
  let quote = '';
  let start = 1;
  for (let i = 1; i < text.length - 1; i++) {
    const letter = text[i]!;
    if (letter === '\\') i++;
    else if (quote !== '') quote = letter === quote ? '' : quote;
    else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === '{' || letter === '(') depth++;
    else if (letter === '}' || letter === ')') depth--;
    else if (letter === ',' && depth === 0) {
      found.push(text.slice(start, i));
      start = i + 1;
    }
  }
  if (found.length === 0) return null;
  return [...found, text.slice(start, -1)];
}
