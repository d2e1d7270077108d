// Plain expressions (paths, literals, & and comparisons of scalars) without JSONata: no promise, no process.
// Exactly JSONata's answers or none: whatever is not simple gives `notPlain` and goes the long way.
import { ExpressionError, maxResultBytes, type Scope } from './expression.ts';
import type { Node } from './references.ts';

export const notPlain: unique symbol = Symbol('not plain');
export type PlainValue = unknown;
export type Plain = (scope: Scope) => PlainValue;

/** A closure that evaluates `node`, or null when its kind is never plain. */
export function compilePlain(node: Node): Plain | null {
  if (node.predicate || node.stages || node.group || node.keepArray || node.keepSingletonArray) return null;
  switch (node.type) {
    case 'string':
    case 'number':
    case 'value':
      return () => node.value;
    case 'path':
      return compilePath(node.steps ?? []);
    case 'block': {
      const [only, ...rest] = node.expressions ?? [];
      return only && rest.length === 0 ? compilePlain(only) : null;
    }
    case 'binary':
      return compileBinary(node);
    default:
      return null;
  }
}

function compilePath(steps: readonly Node[]): Plain | null {
  const names: string[] = [];
  for (const [position, step] of steps.entries()) {
    const isRoot = position === 0 && step.type === 'variable' && step.value === '$' && steps.length > 1;
    if ((step.type !== 'name' && !isRoot) || step.stages || step.predicate || step.group || step.keepArray || step.tuple) return null;
    if (!isRoot) names.push(String(step.value));
  }
  const last = names.length - 1;
  return (scope) => {
    let value: unknown = scope;
    for (const [position, name] of names.entries()) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
      value = (value as Record<string, unknown>)[name];
      // Paths map over arrays: an array is plain only as the end of the path.
      if (Array.isArray(value) && position < last) return notPlain;
    }
    return value;
  };
}

function compileBinary(node: Node): Plain | null {
  const lhs = compilePlain(node.lhs as Node);
  const rhs = compilePlain(node.rhs as Node);
  const apply = operators[String(node.value)];
  if (!lhs || !rhs || !apply) return null;
  return (scope) => {
    const left = lhs(scope);
    const right = rhs(scope);
    return isScalar(left) && isScalar(right) ? apply(left, right) : notPlain;
  };
}

type Scalar = string | number | boolean | null | undefined;

function isScalar(value: unknown): value is Scalar {
  return value === null || (typeof value !== 'object' && typeof value !== 'symbol');
}

const operators: Readonly<Record<string, (left: Scalar, right: Scalar) => PlainValue>> = {
  '&': (left, right) => {
    const text = textOf(left) + textOf(right);
    // Concatenations can double: refuse before the text is ever laid out in memory.
    if (text.length > maxResultBytes) throw new ExpressionError('OUTPUT_TOO_LARGE', `a text of more than ${maxResultBytes} characters`);
    return text;
  },
  '=': (left, right) => left !== undefined && right !== undefined && left === right,
  '!=': (left, right) => left !== undefined && right !== undefined && left !== right,
  '<': comparison((left, right) => left < right),
  '<=': comparison((left, right) => left <= right),
  '>': comparison((left, right) => left > right),
  '>=': comparison((left, right) => left >= right),
  and: (left, right) => truth(left) && truth(right),
  or: (left, right) => truth(left) || truth(right),
};

function comparison(compare: (left: string | number, right: string | number) => boolean) {
  return (left: Scalar, right: Scalar): PlainValue => {
    if (typeof left === 'string' && typeof right === 'string') return compare(left, right);
    if (typeof left === 'number' && typeof right === 'number') return compare(left, right);
    return notPlain;
  };
}

const truth = (value: Scalar): boolean => Boolean(value);

/** JSONata's $string for scalars: numbers to 15 digits, absent as empty text. */
function textOf(value: Scalar): string {
  if (value === undefined) return '';
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(15)));
  return String(value);
}
