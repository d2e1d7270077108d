// Conditions compiled to closures: whether they hold for one effect. Pure; no I/O, and no text can make it slow.
import { canonicalHost, contains, parseAddress, parseCidr } from './address.ts';
import { operators, type Condition, type Scalar } from './condition.ts';
import { parsePath } from './condition-path.ts';
import type { GateInput } from './gate.ts';
import { compileGlob } from './glob.ts';
import { compilePattern } from './pattern.ts';

export type Test<Effect = GateInput> = (effect: Effect) => boolean;
type ValueTest = (value: unknown) => boolean;
type Operator = (typeof operators)[number];

/** The hot path: a chain of two-way closures is several times faster than `every` over a list. */
export function allOf<Effect>(tests: readonly (Test<Effect> | undefined)[]): Test<Effect> {
  const [first, ...rest] = tests.filter((test) => test !== undefined);
  if (!first) return () => true;
  return rest.reduce((both, next) => (effect) => both(effect) && next(effect), first);
}

export function anyOf<Value>(tests: readonly Test<Value>[]): Test<Value> {
  const [first, ...rest] = tests;
  if (!first) return () => false;
  return rest.reduce((either, next) => (value) => either(value) || next(value), first);
}

/** Of a condition that `condition.ts` has accepted; throws for another. */
export function compileCondition(condition: Condition): Test {
  if (condition.all) return allOf(condition.all.map(compileCondition));
  if (condition.any) return anyOf(condition.any.map(compileCondition));
  if (condition.not) {
    const holds = compileCondition(condition.not);
    return (input) => !holds(input);
  }
  return comparison(condition);
}

function comparison(condition: Condition): Test {
  const path = parsePath(condition.path ?? '');
  if (!path.ok) throw new Error(`${condition.path}: ${path.reason}`);
  const { read, several } = path;
  const used = operators.filter((operator) => condition[operator] !== undefined);
  return allOf(
    used.map((operator): Test => {
      if (operator === 'exists') {
        const wanted = condition.exists;
        const isThere = several ? (value: unknown) => (value as unknown[]).some(exists) : exists;
        return (input) => isThere(read(input)) === wanted;
      }
      const holds = valueTest(operator, condition);
      const negative = operator === 'notEquals' || operator === 'notIn';
      const found: Test = several
        ? (input) => (read(input) as unknown[]).some((each) => forOne(holds, each))
        : (input) => forOne(holds, read(input));
      return negative ? (input) => !found(input) : found;
    }),
  );
}

const exists: ValueTest = (value) => value !== undefined && value !== null;

const forOne = (holds: ValueTest, value: unknown): boolean => (Array.isArray(value) ? value.some(holds) : holds(value));

/** On one value. Those that say no are asked for the opposite. */
function valueTest(operator: Exclude<Operator, 'exists'>, condition: Condition): ValueTest {
  const fold = condition.ignoreCase === true;
  switch (operator) {
    case 'equals':
      return equalTo([condition.equals!], fold);
    case 'notEquals':
      return equalTo([condition.notEquals!], fold);
    case 'in':
      return equalTo(condition.in!, fold);
    case 'notIn':
      return equalTo(condition.notIn!, fold);
    case 'prefix':
      return textTest(condition.prefix!, fold, (part) => (text) => text.startsWith(part));
    case 'suffix':
      return textTest(condition.suffix!, fold, (part) => (text) => text.endsWith(part));
    case 'glob':
      return textTest(condition.glob!, fold, compileGlob);
    case 'matches': {
      const found = anyOf([condition.matches!].flat().map((pattern) => compilePattern(pattern, fold)));
      return (value) => typeof value === 'string' && found(value);
    }
    case 'cidr':
      return within([condition.cidr!].flat());
    case 'less':
      return numeric((value) => value < condition.less!);
    case 'lessOrEqual':
      return numeric((value) => value <= condition.lessOrEqual!);
    case 'greater':
      return numeric((value) => value > condition.greater!);
    case 'greaterOrEqual':
      return numeric((value) => value >= condition.greaterOrEqual!);
  }
}

const folded = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value);

function equalTo(values: readonly Scalar[], fold: boolean): ValueTest {
  const known = new Set<unknown>(fold ? values.map(folded) : values);
  return fold ? (value) => known.has(folded(value)) : (value) => known.has(value);
}

function textTest(parts: string | readonly string[], fold: boolean, compile: (part: string) => Test<string>): ValueTest {
  const test = anyOf([parts].flat().map((part) => compile(fold ? part.toLowerCase() : part)));
  return (value) => typeof value === 'string' && test(fold ? value.toLowerCase() : value);
}

/** A number may come as text: that must not lead around a bound. */
function numeric(test: Test<number>): ValueTest {
  return (value) => {
    if (typeof value === 'number') return test(value);
    return (
      typeof value === 'string' && value.length <= 400 && /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value) && test(Number(value))
    );
  };
}

function within(ranges: readonly string[]): ValueTest {
  const parsed = ranges.map((range) => parseCidr(range)!);
  return (value) => {
    const host = typeof value === 'string' && value.length <= 300 ? canonicalHost(value) : null;
    const address = host === null ? null : parseAddress(host);
    return address !== null && parsed.some((range) => contains(range, address));
  };
}
