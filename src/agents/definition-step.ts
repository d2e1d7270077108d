// One step of a document → its normalised form: kind, durations in milliseconds, bare expressions, and what it refers to.
import { compileExpression, type CompiledExpression } from '../expressions/compile.ts';
import { templateExpressions } from '../expressions/template.ts';
import { durationPattern, parseDuration } from '../platform/duration.ts';
import { defaults, maxDurationMs, stepKeys, type StepDocument } from './definition-schema.ts';
import { pathOf } from './definition-text.ts';
import type { StepDefinition, StepKind } from './definition.ts';

/** Collects a problem at `path`; `offset` characters into the text that stands there. */
export type Report = (path: string, message: string, expected?: string, offset?: number) => void;

/** A step id that stands in the text, and where. */
export interface Mention {
  readonly id: string;
  readonly path: string;
}

export interface CheckedStep {
  /** Complete when nothing was reported; `needs` is filled by the graph. */
  readonly step: StepDefinition;
  readonly at: string;
  /** `needs` as declared, and references in expressions. */
  readonly mentions: readonly Mention[];
  /** Steps that this step's branch leads to. */
  readonly targets: readonly Mention[];
}

/** Checks the expressions of one place and keeps what they mention. */
export interface ExpressionChecker {
  source(text: string, path: string, withItem?: boolean): string;
  template<T>(value: T, path: string, withItem?: boolean): T;
  readonly mentions: Mention[];
}

export function expressionChecker(report: Report): ExpressionChecker {
  const mentions: Mention[] = [];
  function check({ source, problems, roots, steps }: CompiledExpression, text: string, path: string, withItem: boolean): void {
    const start = Math.max(text.indexOf(source), 0);
    for (const { message, expected, offset } of problems) {
      report(path, message, expected, offset === undefined ? undefined : start + offset);
    }
    if (!withItem && (roots.has('item') || roots.has('index'))) {
      report(path, 'item and index are known only in with and transform of a step with forEach', 'inputs or steps.<id>', start);
    }
    mentions.push(...steps.map((id) => ({ id, path })));
  }
  return {
    mentions,
    source(text, path, withItem = false) {
      const expression = compileExpression(text);
      check(expression, text, path, withItem);
      return expression.source;
    },
    template(value, path, withItem = false) {
      const { expressions, problems } = templateExpressions(value);
      const full = (inside: readonly (string | number)[]) => inside.reduce<string>(pathOf, path);
      for (const problem of problems) report(full(problem.path), problem.message, problem.expected, problem.offset);
      for (const { expression, text, path: inside } of expressions) check(expression, text, full(inside), withItem);
      return value;
    },
  };
}

/** Which keys mean something for which kinds; elsewhere they would do nothing, so they are refused. */
const kindsOfKey: Readonly<Record<'with' | 'forEach' | 'retry' | 'timeout', readonly StepKind[]>> = {
  with: ['tool'],
  forEach: ['tool', 'transform'],
  retry: ['tool'],
  timeout: ['tool', 'transform'],
};

/** `raw` is the step as written, `document` the same without what its structure forbids. */
export function checkStep(
  raw: Readonly<Record<string, unknown>>,
  document: StepDocument,
  at: string,
  tools: ReadonlySet<string>,
  report: Report,
): CheckedStep {
  const kinds = stepKeys.filter((key) => raw[key] !== undefined);
  const exactlyOne = `exactly one of ${stepKeys.join(', ')}`;
  if (kinds.length === 0) report(at, 'the step does nothing', exactlyOne);
  if (kinds.length > 1) report(at, `the step has several kinds: ${kinds.join(', ')}`, exactlyOne);
  const kind = kinds[0] ?? 'transform';
  if (kinds.length === 1) {
    for (const [key, allowed] of Object.entries(kindsOfKey)) {
      if (raw[key] !== undefined && !allowed.includes(kind)) {
        report(
          pathOf(at, key),
          `${key} has no effect on ${kind === 'approval' ? 'an' : 'a'} ${kind} step`,
          `${key} only with ${allowed.join(' or ')}`,
        );
      }
    }
  }
  if (raw['concurrency'] !== undefined && raw['forEach'] === undefined) {
    report(pathOf(at, 'concurrency'), 'concurrency has no effect without forEach', 'forEach');
  }
  if (document.tool !== undefined && !tools.has(document.tool)) {
    report(pathOf(at, 'tool'), `the tool ${document.tool} is not listed in spec.tools`, 'a tool that the agent may call');
  }

  const expressions = expressionChecker(report);
  const withItem = raw['forEach'] !== undefined;
  const optional = (key: 'when' | 'forEach') => {
    const text = document[key];
    return text === undefined ? {} : { [key]: expressions.source(text, pathOf(at, key)) };
  };
  const step: StepDefinition = {
    id: document.id,
    kind,
    needs: [],
    ...optional('when'),
    ...optional('forEach'),
    concurrency: document.concurrency ?? defaults.concurrency,
    retry: retryOf(document, at, report),
    timeoutMs: milliseconds(document.timeout ?? defaults.timeout),
    onFailure: document.onFailure,
    ...effectOf(document, at, expressions, withItem, report),
  };
  const declared = (document.needs ?? []).map((id, index) => ({ id, path: pathOf(pathOf(at, 'needs'), index) }));
  return { step, at, mentions: [...declared, ...expressions.mentions], targets: targetsOf(document, at) };
}

const milliseconds = (text: string): number => parseDuration(text) ?? 0;

function retryOf({ retry }: StepDocument, at: string, report: Report): StepDefinition['retry'] {
  const { maxAttempts, initial, factor, max } = retry ?? defaults.retry;
  const initialMs = milliseconds(initial);
  const maxMs = milliseconds(max);
  if (maxMs < initialMs) report(pathOf(at, 'retry.max'), `max (${max}) is shorter than initial (${initial})`, 'at least initial');
  return { maxAttempts, initialMs, factor, maxMs };
}

function effectOf(
  document: StepDocument,
  at: string,
  expressions: ExpressionChecker,
  withItem: boolean,
  report: Report,
): Pick<StepDefinition, 'tool' | 'transform' | 'approval' | 'wait' | 'branch'> {
  const { tool, transform, approval, wait, branch } = document;
  const inside = (key: string) => pathOf(at, key);
  return {
    ...(tool !== undefined && { tool: { name: tool, with: expressions.template(document.with ?? {}, inside('with'), withItem) } }),
    ...(transform !== undefined && { transform: expressions.source(transform, inside('transform'), withItem) }),
    ...(approval !== undefined && {
      approval: {
        title: expressions.template(approval.title, inside('approval.title')),
        reason: expressions.template(approval.reason ?? '', inside('approval.reason')),
        risk: approval.risk,
        expiresInMs: milliseconds(approval.expiresIn),
        show: expressions.template(approval.show ?? null, inside('approval.show')),
      },
    }),
    ...(wait !== undefined && { wait: waitOf(wait, inside('wait'), expressions, report) }),
    ...(branch !== undefined && {
      branch: branch.map(({ when, then }, index) => {
        const path = pathOf(inside('branch'), index);
        if (when === undefined && index < branch.length - 1) {
          report(path, 'a case without when always matches, so the cases after it are never reached', 'it as the last case');
        }
        return { ...(when !== undefined && { when: expressions.source(when, pathOf(path, 'when')) }), then };
      }),
    }),
  };
}

function waitOf(text: string, path: string, expressions: ExpressionChecker, report: Report): StepDefinition['wait'] {
  if (text.trim().startsWith('${{')) return { expression: expressions.source(text, path) };
  const durationMs = durationPattern.test(text) ? parseDuration(text) : null;
  if (durationMs === null || durationMs > maxDurationMs) {
    report(path, `${JSON.stringify(text.slice(0, 80))} is not accepted`, 'a duration up to 365d such as "10s", or ${{ }} giving one');
  }
  return { durationMs: durationMs ?? 0 };
}

function targetsOf({ branch }: StepDocument, at: string): Mention[] {
  return (branch ?? []).flatMap(({ then }, index) =>
    then.map((id, position) => ({ id, path: pathOf(pathOf(pathOf(pathOf(at, 'branch'), index), 'then'), position) })),
  );
}
