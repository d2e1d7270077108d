// Configuration: environment variables and an optional YAML file become one typed object, or one error with every problem.
// The only file that reads process.env.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { operatorSinksOf } from './config-event-sinks.ts';
import { configSchema, variables, type Config as Settings, type Variable } from './config-schema.ts';
import type { OperatorSink } from './eventbus/operator-sink.ts';
import { isSecret, secretForm } from './webhooks/webhook.ts';

/** With what the settings name by variables of the environment in its place. */
export type Config = Omit<Settings, 'eventSinks'> & { readonly eventSinks: readonly OperatorSink[] };

type Environment = Readonly<Record<string, string | undefined>>;

export interface ConfigSource {
  readonly env?: Environment;
  readonly readFile?: (path: string) => string;
}

export interface ConfigProblem {
  /** The variable, or the YAML file with line:column and the path in it. */
  readonly name: string;
  /** What stands there; left out when absent or secret. */
  readonly value?: string;
  readonly expected: string;
}

export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(
      ({ name, value, expected }) => `  ${name}: ${value === undefined ? '' : `got ${value}, `}expected ${expected}`,
    );
    super(`the configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${lines.join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Environment variables win over the YAML file, which wins over defaults. An empty variable counts as unset. */
export function loadConfig({ env = process.env, readFile = (path) => readFileSync(path, 'utf8') }: ConfigSource = {}): Config {
  const file = readYaml(env['SIGNALBOX_CONFIG'], readFile);
  const problems: ConfigProblem[] = [...file.problems, ...unknownVariables(env)];
  const { content, places } = placeVariables(file.content, env);
  const parsed = configSchema.safeParse(content, { reportInput: true });
  if (!parsed.success) {
    throw new ConfigError([...problems, ...parsed.error.issues.flatMap((issue) => problemsOfIssue(issue, places, file))]);
  }
  const passed = withPassedVariables(parsed.data, env, file);
  const sinks = withSecrets(parsed.data, env, file);
  problems.push(...contradictions(parsed.data), ...passed.problems, ...sinks.problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return { ...passed.config, eventSinks: sinks.eventSinks, dataDir: resolve(parsed.data.dataDir) };
}

interface YamlFile {
  readonly content: Record<string, unknown>;
  readonly problems: readonly ConfigProblem[];
  /** Where a path stands, for messages. */
  at(path: readonly PropertyKey[]): string;
}

function readYaml(path: string | undefined, readFile: (path: string) => string): YamlFile {
  const nothing = (...problems: ConfigProblem[]): YamlFile => ({ content: {}, problems, at: pathText });
  if (!path) return nothing();
  let source: string;
  try {
    source = readFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return nothing({ name: 'SIGNALBOX_CONFIG', value: JSON.stringify(path), expected: `a YAML file that can be read (${reason})` });
  }
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    return nothing(
      ...document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return { name: `${path}:${line}:${col}`, expected: `YAML without errors (${error.message})` };
      }),
    );
  }
  const content: unknown = document.toJS() ?? {};
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    return nothing({ name: path, expected: 'a mapping of settings at the top' });
  }
  return {
    content: content as Record<string, unknown>,
    problems: [],
    at: (at) => `${path}${position(document, at, lines)} ${pathText(at)}`,
  };
}

function position(document: Document, path: readonly PropertyKey[], lines: LineCounter): string {
  // A missing key has no place of its own: name the nearest thing around it.
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined;
    if (!node?.range) continue;
    const { line, col } = lines.linePos(node.range[0]);
    return `:${line}:${col}`;
  }
  return '';
}

const ownPrefix = 'SIGNALBOX_';
const testPrefix = 'SIGNALBOX_TEST_'; // between scripts/test.ts and the tests
const known = new Set(['SIGNALBOX_CONFIG', ...variables.map((variable) => variable.env)]);

function unknownVariables(env: Environment): ConfigProblem[] {
  return Object.keys(env)
    .filter((name) => name.startsWith(ownPrefix) && !name.startsWith(testPrefix) && !known.has(name))
    .map((name) => ({ name, value: 'an unknown variable', expected: 'one of those in .env.example' }));
}

interface Placed {
  readonly variable: Variable;
  readonly isSet: boolean;
}

/** Puts each variable's value where the schema looks for it; `places` remembers which path belongs to which variable. */
function placeVariables(content: Record<string, unknown>, env: Environment) {
  const result = structuredClone(content);
  const places = new Map<string, Placed>();
  // A list entry exists when a variable without default asks for it: setting the names of claims alone makes no issuer.
  const hasEntry = variables.some(({ env: name, path, defaultText }) => path.includes('*') && defaultText === undefined && env[name]);
  for (const variable of variables) {
    const path = variable.path.map((key, index) => {
      if (key !== '*') return key;
      const list = valueAt(content, variable.path.slice(0, index));
      return Array.isArray(list) ? list.length : 0; // variables add one entry to the file's list
    });
    const value = env[variable.env];
    const isSet = value !== undefined && value !== '' && (!variable.path.includes('*') || hasEntry);
    places.set(path.join('.'), { variable, isSet });
    if (isSet) setAt(result, path, valueOf(variable, value));
  }
  return { content: result, places };
}

function valueAt(content: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key], content);
}

function setAt(target: Record<string, unknown>, path: readonly (string | number)[], value: unknown): void {
  let place = target as Record<string | number, unknown>;
  for (const [index, key] of path.slice(0, -1).entries()) {
    place[key] ??= typeof path[index + 1] === 'number' ? [] : {};
    if (typeof place[key] !== 'object') return; // the file has something else here, which is reported by itself
    place = place[key] as Record<string | number, unknown>;
  }
  place[path.at(-1)!] = value;
}

function valueOf(variable: Variable, text: string): unknown {
  if (variable.isNumber) return /^-?\d+$/.test(text) ? Number(text) : text;
  if (!variable.isList) return text;
  const items = text.split(',').map((item) => item.trim());
  return items.filter(Boolean);
}

function problemsOfIssue(issue: z.core.$ZodIssue, places: ReadonlyMap<string, Placed>, file: YamlFile): ConfigProblem[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ name: file.at([...path, key]), value: 'an unknown key', expected: issue.message }));
  }
  if (issue.code === 'invalid_key') return [{ name: file.at(path), expected: issue.issues[0]?.message ?? issue.message }];
  const placed = places.get(path.join('.')) ?? places.get(path.slice(0, -1).join('.'));
  const fromVariable = placed && (placed.isSet || valueAt(file.content, path.slice(0, -1)) === undefined);
  const isHidden =
    placed?.variable.secret || (path[0] === 'toolServers' && path[2] === 'env') || (path[0] === 'eventSinks' && path[2] === 'url');
  const name = fromVariable ? placed.variable.env : file.at(path);
  if (isHidden) return [{ name, expected: issue.message }];
  const value = issue.input === undefined ? 'nothing' : (JSON.stringify(issue.input) ?? typeof issue.input).slice(0, 200);
  return [{ name, value, expected: issue.message }];
}

/** What is wrong only together with another setting. */
function contradictions({ database, limits }: Settings): ConfigProblem[] {
  const { url, appUrl, embeddedPort } = database;
  const problems: ConfigProblem[] = [];
  if (limits.httpRequestTimeoutMs < limits.httpHeadersTimeoutMs) {
    problems.push({
      name: 'SIGNALBOX_LIMIT_HTTP_REQUEST_TIMEOUT_MS',
      value: String(limits.httpRequestTimeoutMs),
      expected: `at least SIGNALBOX_LIMIT_HTTP_HEADERS_TIMEOUT_MS (${limits.httpHeadersTimeoutMs})`,
    });
  }
  if (!url && appUrl)
    problems.push({ name: 'DATABASE_APP_URL', expected: 'DATABASE_URL beside it (without it, Signalbox runs its own Postgres)' });
  if (url && appUrl && new URL(url).username === new URL(appUrl).username) {
    problems.push({ name: 'DATABASE_APP_URL', expected: 'another user than in DATABASE_URL: the application must not own the tables' });
  }
  if (url && embeddedPort !== undefined) {
    problems.push({
      name: 'SIGNALBOX_DATABASE_EMBEDDED_PORT',
      value: String(embeddedPort),
      expected: 'to be unset: DATABASE_URL is set, so Signalbox does not run its own Postgres',
    });
  }
  return problems;
}

/** Gives each tool server the variables it asks for by name. */
function withPassedVariables(config: Settings, env: Environment, file: YamlFile): { config: Settings; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const toolServers = Object.entries(config.toolServers).map(([name, server]) => {
    const passed = server.passEnv.flatMap((variable, index) => {
      const value = env[variable];
      if (value !== undefined) return [[variable, value] as const];
      problems.push(unset(file, ['toolServers', name, 'passEnv', index], variable));
      return [];
    });
    return [name, { ...server, env: { ...Object.fromEntries(passed), ...server.env } }] as const;
  });
  return { config: { ...config, toolServers: Object.fromEntries(toolServers) }, problems };
}

/** Gives each event sink the secrets it asks for by the names of variables. */
function withSecrets(
  { eventSinks }: Settings,
  env: Environment,
  file: YamlFile,
): { eventSinks: OperatorSink[]; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const resolved = operatorSinksOf(eventSinks, (path, variable) => {
    const value = env[variable];
    if (!value) problems.push(unset(file, path, variable));
    else if (/secretEnv$/i.test(path.at(-1)!) && !isSecret(value))
      problems.push({ ...unset(file, path, variable), expected: `a variable that holds ${secretForm}` });
    return value ?? '';
  });
  return { eventSinks: resolved, problems };
}

const unset = (file: YamlFile, path: readonly PropertyKey[], variable: string): ConfigProblem => ({
  name: file.at(path),
  value: JSON.stringify(variable),
  expected: 'a variable that is set in the environment of Signalbox',
});

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}${text && '.'}${String(key)}`), '');
}
