// Ajv's errors as problems for people: dotted path, what is wrong with which value, what was expected.
import type { ErrorObject } from 'ajv';
import type { Problem } from './errors.ts';

const maxProblems = 50;

/** `value` is what was validated; paths start with `at`. */
export function problemsOf(errors: readonly ErrorObject[], value: unknown, at: string): Problem[] {
  const inBranches = new Set<ErrorObject>();
  const kept: Problem[] = [];
  const seen = new Set<string>();
  let more = 0;
  // Backwards, since a union's own error comes after those of its branches and says what they say together.
  for (let index = errors.length - 1; index >= 0; index--) {
    const error = errors[index]!;
    const branches = isUnion(error) ? branchErrors(errors, index) : [];
    for (const branch of branches) inBranches.add(branch);
    if (error.keyword === 'if' || inBranches.has(error)) continue;
    const { path, value: found } = locate(error, value, at);
    const { message, expected } = explain(error, branches);
    const key = `${path}\n${message}`;
    if (seen.has(key)) continue;
    seen.add(key);
    kept.push({ path, message: saysAll.has(error.keyword) ? message : `${message}, got ${shown(found)}`, expected });
    if (kept.length > maxProblems) {
      kept.shift();
      more++;
    }
  }
  kept.reverse();
  return more > 0 ? [...kept, { path: at, message: `and ${more} more problems` }] : kept;
}

const isUnion = (error: ErrorObject): boolean =>
  error.keyword === 'anyOf' || (error.keyword === 'oneOf' && !error.params['passingSchemas']);
/** Keywords whose message is complete without the value. */
const saysAll = new Set(['required', 'additionalProperties', 'unevaluatedProperties', 'false schema', 'dependentRequired', 'dependencies']);

/** The errors right before a union's own that speak of the same value or its parts, but not of the union's sibling keywords. */
function branchErrors(errors: readonly ErrorObject[], index: number): ErrorObject[] {
  const union = errors[index]!;
  const siblings = union.schemaPath.slice(0, union.schemaPath.lastIndexOf('/') + 1);
  const isSibling = (error: ErrorObject) =>
    error.instancePath === union.instancePath &&
    error.schemaPath.startsWith(siblings) &&
    !error.schemaPath.slice(siblings.length).includes('/');
  let first = index;
  while (first > 0 && `${errors[first - 1]!.instancePath}/`.startsWith(`${union.instancePath}/`) && !isSibling(errors[first - 1]!)) first--;
  return errors.slice(first, index);
}

function explain(error: ErrorObject, branches: readonly ErrorObject[]): { message: string; expected?: string | undefined } {
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'required':
      return { message: 'is required' };
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return { message: 'is not a known property' };
    case 'type':
      return { message: `must be ${typeNames(params['type'])}`, expected: typeNames(params['type']) };
    case 'enum': {
      const allowed = (params['allowedValues'] as unknown[]).map(shown).join(', ');
      return { message: `must be one of ${allowed}`, expected: allowed };
    }
    case 'const':
      return { message: `must be ${shown(params['allowedValue'])}`, expected: shown(params['allowedValue']) };
    case 'false schema':
      return { message: 'is not allowed here' };
    case 'not':
      return { message: 'is excluded by the schema' };
    case 'anyOf':
    case 'oneOf': {
      if (params['passingSchemas']) return { message: 'matches several forms of which only one is allowed' };
      const forms = new Set(branches.map((branch) => explain(branch, []).message));
      return { message: 'matches none of the allowed forms', expected: [...forms].slice(0, 5).join(', or ') || undefined };
    }
    default:
      return { message: error.message ?? `fails "${error.keyword}"` };
  }
}

/** Where the error is, and the value there. A missing or unknown property is named itself, not the object around it. */
function locate(error: ErrorObject, root: unknown, at: string): { path: string; value: unknown } {
  const params = error.params as Record<string, unknown>;
  const property = params['missingProperty'] ?? params['additionalProperty'] ?? params['unevaluatedProperty'];
  let value = root;
  let path = at;
  const enter = (name: string) => (path += Array.isArray(value) ? `[${name}]` : path === '' ? name : `.${name}`);
  for (const part of error.instancePath.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    enter(name);
    value = (value as Record<string, unknown> | undefined)?.[name];
  }
  if (typeof property === 'string') enter(property);
  return { path, value };
}

/** A short form of any JSON value; long ones are cut, since a message is not the place for a document. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  return String(value);
}

const articles: Readonly<Record<string, string>> = { object: 'an object', array: 'a list', integer: 'a whole number', null: 'null' };
const typeNames = (type: unknown): string =>
  [type]
    .flat()
    .map((name) => articles[String(name)] ?? `a ${String(name)}`)
    .join(' or ');
