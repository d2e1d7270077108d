// Text of a definition → its normalised form and digest, or every problem at once with path, line and column. Pure.
import { expressionChecker, type Report } from './definition-expressions.ts';
import { checkStep, type CheckedStep } from './definition-step.ts';
import { isTemplateText } from '../expressions/template.ts';
import { digestOf } from '../platform/canonical.ts';
import { DeadlineError, withDeadline } from '../platform/deadline.ts';
import { ValidationError, type Problem } from '../platform/errors.ts';
import { compileSchema } from '../platform/json-schema.ts';
import { known, orderSteps } from './definition-graph.ts';
import { checkRequest } from './definition-http.ts';
import { documentSchema, maxSteps, type DefinitionDocument } from './definition-schema.ts';
import { isObject, mendStep, structureProblems } from './definition-structure.ts';
import { pathOf, readText, type Position, type ReadText } from './definition-text.ts';
import { isDataReference } from '../rules/data-scope.ts';
import type { Definition } from './definition.ts';

export type ParsedDefinition =
  | {
      readonly ok: true;
      readonly definition: Definition;
      /** SHA-256 of its canonical JSON. */
      readonly digest: string;
      /** Where the value at a path stands in the text, for problems found later. */
      locate(path: string): Position;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const checkMs = 10_000;
const maxProblems = 200;

/** The agent that the definition must be of. */
export interface ExpectedAgent {
  readonly name: string;
  readonly project: string;
}

export function parseDefinition(text: string, expected?: ExpectedAgent): ParsedDefinition {
  const read = readText(text);
  if (!('value' in read)) return { ok: false, problems: read };
  try {
    return withDeadline(checkMs, () => check(read, expected));
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    return {
      ok: false,
      problems: [{ path: '', message: `the definition takes more than ${checkMs} ms to check`, expected: 'a simpler one' }],
    };
  }
}

function check(read: ReadText, expected?: ExpectedAgent): ParsedDefinition {
  const problems: Problem[] = [...read.problems];
  const report: Report = (path, message, expected, offset) => {
    problems.push({ path, message, expected, ...read.locate(path, offset) });
  };
  const raw = read.value;
  const spec = isObject(raw) && isObject(raw['spec']) ? raw['spec'] : {};
  const rawSteps = Array.isArray(spec['steps']) ? (spec['steps'] as unknown[]) : [];
  if (rawSteps.length > maxSteps) {
    report('spec.steps', `there are ${rawSteps.length} steps`, `at most ${maxSteps}; let forEach do what repeats`);
    return refused(problems);
  }
  const parsed = documentSchema.safeParse(raw, { reportInput: true });
  if (!parsed.success) {
    for (const { ofKey, ...problem } of structureProblems(parsed.error)) {
      problems.push({ ...problem, ...(ofKey ? read.locateKey(problem.path) : read.locate(problem.path)) });
    }
  }

  if (expected && isObject(raw) && isObject(raw['metadata'])) checkAgent(raw['metadata'], expected, report);
  const { steps, ids } = checkSteps(rawSteps, toolsOf(spec), report);
  checkChildren(steps, raw, report);
  checkRequests(steps, spec, report);
  const needs = orderSteps(steps, ids, report);
  checkInputs(spec['inputs'], problems, read);
  const output = checkOutput(spec['output'], ids, report);
  if (!parsed.success || problems.length > 0) return refused(problems);
  const definition = normalise(parsed.data, steps, needs, output);
  return { ok: true, definition, digest: digestOf(definition), locate: (path) => read.locate(path) };
}

function refused(problems: readonly Problem[]): ParsedDefinition {
  const sorted = [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  const shown = sorted.slice(0, maxProblems);
  const more = sorted.length - shown.length;
  return { ok: false, problems: more === 0 ? shown : [...shown, { path: '', message: `and ${more} more problems` }] };
}

function checkAgent({ name, project }: Readonly<Record<string, unknown>>, expected: ExpectedAgent, report: Report): void {
  if (typeof name === 'string' && name !== expected.name) {
    report('metadata.name', `"${name.slice(0, 80)}" is not the name of the agent`, `"${expected.name}"`);
  }
  if (typeof project === 'string' && project !== expected.project) {
    report('metadata.project', `"${project.slice(0, 80)}" is not the project of the agent`, `"${expected.project}"`);
  }
}

const toolsOf = (spec: Readonly<Record<string, unknown>>): Set<string> =>
  new Set(Array.isArray(spec['tools']) ? (spec['tools'] as unknown[]).filter((tool) => typeof tool === 'string') : []);

function checkSteps(rawSteps: readonly unknown[], tools: ReadonlySet<string>, report: Report) {
  const steps: CheckedStep[] = [];
  const places = new Map<string, string>();
  for (const [index, raw] of rawSteps.entries()) {
    const at = pathOf('spec.steps', index);
    if (!isObject(raw)) continue;
    const id = raw['id'];
    const first = typeof id === 'string' ? places.get(id) : undefined;
    if (first !== undefined) report(pathOf(at, 'id'), `the id "${String(id).slice(0, 80)}" is taken by ${first}`, 'an id of its own');
    else if (typeof id === 'string') places.set(id, at);
    const mended = mendStep(raw);
    if (mended) steps.push(checkStep(raw, mended, at, tools, report));
  }
  return { steps, ids: new Set(places.keys()) };
}

/** An agent that starts itself would never come to an end. */
function checkChildren(steps: readonly CheckedStep[], raw: unknown, report: Report): void {
  const metadata = isObject(raw) && isObject(raw['metadata']) ? raw['metadata'] : {};
  for (const { step, at } of steps) {
    if (step.agent && step.agent.name === metadata['name']) {
      report(
        pathOf(at, 'agent'),
        `the agent "${step.agent.name}" would start itself`,
        'another agent; let loop or forEach do what repeats',
      );
    }
  }
}

function checkRequests(steps: readonly CheckedStep[], spec: Readonly<Record<string, unknown>>, report: Report): void {
  const destinations = Array.isArray(spec['destinations']) ? spec['destinations'].filter((host) => typeof host === 'string') : [];
  const capabilities = isObject(spec['capabilities']) ? spec['capabilities'] : {};
  for (const { step, at } of steps) if (step.http) checkRequest(step.http, pathOf(at, 'http'), { destinations, capabilities }, report);
}

function checkInputs(inputs: unknown, problems: Problem[], read: ReadText): void {
  if (!isObject(inputs)) return;
  const at = 'spec.inputs';
  if (inputs['type'] !== undefined && inputs['type'] !== 'object') {
    problems.push({ path: `${at}.type`, message: 'inputs are an object', expected: '"object"', ...read.locate(`${at}.type`) });
  }
  try {
    compileSchema(inputs, { at });
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    problems.push(...error.problems.map((problem) => ({ ...problem, ...read.locate(problem.path) })));
  }
}

/** A string without `${{ }}` is one expression, as everywhere where only an expression makes sense. */
function checkOutput(output: unknown, ids: ReadonlySet<string>, report: Report): unknown {
  if (output === undefined) return undefined;
  const expressions = expressionChecker(report);
  const isSource = typeof output === 'string' && !isTemplateText(output);
  const template = isSource ? `\${{ ${expressions.source(output, 'spec.output')} }}` : expressions.template(output, 'spec.output');
  for (const { id, path } of expressions.mentions) if (!ids.has(id)) report(path, `there is no step "${id}"`, known(ids));
  return template;
}

function normalise(
  { metadata, spec }: DefinitionDocument,
  steps: readonly CheckedStep[],
  needs: ReadonlyMap<string, readonly string[]>,
  output: unknown,
): Definition {
  return {
    name: metadata.name,
    ...(metadata.project !== undefined && { project: metadata.project }),
    version: spec.version,
    ...(spec.owner !== undefined && { owner: spec.owner }),
    description: spec.description,
    tags: metadata.tags,
    capabilities: spec.capabilities,
    destinations: spec.destinations,
    tools: spec.tools,
    // Absent when there is none: the digests of older versions stay what they are.
    ...(spec.data.length > 0 && { data: spec.data.filter(isDataReference) }),
    inputs: spec.inputs,
    steps: steps.map(({ step }) => ({ ...step, needs: needs.get(step.id) ?? [] })),
    ...(output !== undefined && { output }),
  };
}
