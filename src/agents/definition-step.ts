// One step of a document → its normalised form: kind, durations in milliseconds, bare expressions, and what it refers to.
import { durationPattern, parseDuration } from '../platform/duration.ts';
import { describeOutsideTool } from '../tools/tool.ts';
import { defaults, maxDurationMs, stepKeys, type StepDocument } from './definition-schema.ts';
import { expressionChecker, type ExpressionChecker, type Mention, type Report, type Scene } from './definition-expressions.ts';
import { httpOf } from './definition-http.ts';
import { pathOf } from './definition-text.ts';
import type { StepDefinition, StepKind } from './definition.ts';

export interface CheckedStep {
  /** Complete when nothing was reported; `needs` is filled by the graph. */
  readonly step: StepDefinition;
  readonly at: string;
  /** `needs` as declared, and references in expressions. */
  readonly mentions: readonly Mention[];
  /** Steps that this step's branch leads to. */
  readonly targets: readonly Mention[];
}

/** Which keys mean something for which kinds; elsewhere they would do nothing, so they are refused. */
const repeatable: readonly StepKind[] = ['tool', 'http', 'agent', 'transform'];
const kindsOfKey: Readonly<Record<'with' | 'forEach' | 'loop' | 'retry' | 'timeout', readonly StepKind[]>> = {
  with: ['tool', 'agent'],
  forEach: repeatable,
  loop: repeatable,
  retry: ['tool', 'http', 'agent'],
  timeout: ['tool', 'http', 'transform'],
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
          `${key} has no effect on ${kind === 'approval' || kind === 'agent' ? 'an' : 'a'} ${kind} step`,
          `${key} only with ${allowed.join(' or ')}`,
        );
      }
    }
  }
  if (raw['concurrency'] !== undefined && raw['forEach'] === undefined) {
    report(pathOf(at, 'concurrency'), 'concurrency has no effect without forEach', 'forEach');
  }
  if (raw['reduce'] !== undefined && raw['forEach'] === undefined) {
    report(pathOf(at, 'reduce'), 'reduce has no effect without forEach', 'forEach');
  }
  if (raw['loop'] !== undefined && raw['forEach'] !== undefined) {
    report(pathOf(at, 'loop'), 'a step has either forEach or loop', 'one of them; let forEach start an agent that loops');
  }
  if (document.tool !== undefined && describeOutsideTool(document.tool)) {
    const expected = 'a tool of a tool server; the agent itself asks about its own by authorizeToolCall';
    report(pathOf(at, 'tool'), `${document.tool} is a tool of an agent that runs elsewhere, which no step can call`, expected);
  } else if (document.tool !== undefined && !tools.has(document.tool)) {
    report(pathOf(at, 'tool'), `the tool ${document.tool} is not listed in spec.tools`, 'a tool that the agent may call');
  }

  const expressions = expressionChecker(report);
  const scene: Scene = raw['forEach'] !== undefined ? 'item' : raw['loop'] !== undefined ? 'iteration' : 'plain';
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
    ...(document.reduce !== undefined && { reduce: expressions.source(document.reduce, pathOf(at, 'reduce'), 'reduce') }),
    ...(document.loop !== undefined && { loop: loopOf(document.loop, pathOf(at, 'loop'), expressions) }),
    concurrency: document.concurrency ?? defaults.concurrency,
    retry: retryOf(document, at, report),
    timeoutMs: milliseconds(document.timeout ?? defaults.timeout),
    onFailure: document.onFailure,
    ...effectOf(document, at, expressions, scene, report),
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
  scene: Scene,
  report: Report,
): Pick<StepDefinition, 'tool' | 'http' | 'agent' | 'transform' | 'approval' | 'wait' | 'branch'> {
  const { tool, http, agent, transform, approval, wait, branch } = document;
  const inside = (key: string) => pathOf(at, key);
  return {
    ...(tool !== undefined && { tool: { name: tool, with: expressions.template(document.with ?? {}, inside('with'), scene) } }),
    ...(http !== undefined && { http: httpOf(http, { at: inside('http'), expressions, scene, report }) }),
    ...(agent !== undefined && { agent: { ...agentOf(agent), with: expressions.template(document.with ?? {}, inside('with'), scene) } }),
    ...(transform !== undefined && { transform: expressions.source(transform, inside('transform'), scene) }),
    ...(approval !== undefined && {
      approval: {
        title: expressions.template(approval.title, inside('approval.title')),
        reason: expressions.template(approval.reason ?? '', inside('approval.reason')),
        risk: approval.risk,
        expiresInMs: milliseconds(approval.expiresIn),
        show: expressions.template(approval.show ?? null, inside('approval.show')),
        ...(approval.approvers !== undefined && { terms: approval.approvers }),
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

function loopOf(
  { until, max, every }: NonNullable<StepDocument['loop']>,
  path: string,
  expressions: ExpressionChecker,
): StepDefinition['loop'] {
  return { until: expressions.source(until, pathOf(path, 'until'), 'until'), max, everyMs: every === undefined ? 0 : milliseconds(every) };
}

function agentOf(agent: NonNullable<StepDocument['agent']>) {
  if (typeof agent === 'string') return { name: agent, onParentEnd: 'cancel' as const };
  const { name, version, onParentEnd } = agent;
  return { name, ...(version !== undefined && { version }), onParentEnd };
}

function waitOf(
  wait: NonNullable<StepDocument['wait']>,
  path: string,
  expressions: ExpressionChecker,
  report: Report,
): StepDefinition['wait'] {
  if (typeof wait === 'string') return durationOf(wait, path, expressions, report);
  if ('until' in wait) return { until: expressions.source(wait.until, pathOf(path, 'until')) };
  return { signal: wait.signal, timeoutMs: wait.timeout === undefined ? null : milliseconds(wait.timeout) };
}

function durationOf(text: string, path: string, expressions: ExpressionChecker, report: Report): StepDefinition['wait'] {
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
