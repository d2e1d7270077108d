// What a person is shown of an approval: exactly what will run, so that nothing in it can hide. Pure; says nothing that is not in the row.
import type { ApprovalSubject } from './approval.ts';
import { fileChange, fileWrites, type FileChange } from './file-change.ts';
import { mergeHidden, visibleText, type HiddenCharacter } from './visible-text.ts';

/** One value of the arguments. */
export interface PresentedField {
  /** `files[0].path`. */
  readonly path: string;
  /** A text as it is, anything else as JSON; hidden characters named. */
  readonly text: string;
  /** An approver has changed, added or (then the text is empty) removed it. */
  readonly isChanged: boolean;
  /** What was asked for, when it is changed; null when there was no such value. */
  readonly before: string | null;
  readonly isTruncated: boolean;
}

/** What a file held when the execution last read or wrote it. */
export interface KnownContent {
  readonly text: string;
  readonly stepId: string;
  readonly at: Date;
}

export interface PresentedChange extends FileChange {
  /** Where the lines that are not in the arguments come from; null when the former content is unknown. */
  readonly comparedWith: Omit<KnownContent, 'text'> | null;
  /** True: the former content is not known, and every line of the new one is shown as added. */
  readonly isWhole: boolean;
}

export interface Presentation {
  readonly summary: string;
  readonly fields: readonly PresentedField[];
  /** Values that are there and not shown, because there are too many. */
  readonly omittedFields: number;
  readonly changes: readonly PresentedChange[];
  readonly hidden: readonly HiddenCharacter[];
  /** What to look at twice, in sentences. */
  readonly warnings: readonly string[];
}

export const maxFields = 500;
export const maxFieldLength = 20_000;
const maxDepth = 20;
const maxSummaryLength = 300;

export interface Presentable {
  readonly title: string;
  readonly subject: ApprovalSubject;
  /** What was asked for, once it has been edited. */
  readonly requested: ApprovalSubject | null;
}

export function present({ title, subject, requested }: Presentable, known: KnownContent | null = null): Presentation {
  const now = leaves(subject.arguments);
  const before = requested === null ? null : new Map(leaves(requested.arguments));
  const paths = new Set(now.map(([path]) => path));
  const fields = now.slice(0, maxFields).map(([path, value]) => fieldOf(path, value, before));
  const removed = [...(before ?? [])].filter(([path]) => !paths.has(path));
  for (const [path, value] of removed.slice(0, maxFields)) {
    fields.push({ ...fieldOf(path, '', null), isChanged: true, before: shown(value).text });
  }
  const changes = fileWrites(subject.tool, subject.arguments).map((write) => {
    const former = write.before ?? known?.text ?? null;
    return {
      ...fileChange({ ...write, before: former }),
      comparedWith: write.before === null && known ? { stepId: known.stepId, at: known.at } : null,
      isWhole: former === null,
    };
  });
  const hidden = mergeHidden([
    visibleText(title).hidden,
    ...now.slice(0, maxFields).map(([path, value]) => [...visibleText(path).hidden, ...shown(value).hidden]),
  ]);
  return {
    summary: summaryOf(title, subject, fields.length),
    fields,
    omittedFields: Math.max(now.length - maxFields, 0),
    changes,
    hidden,
    warnings: warningsOf(hidden, fields, now.length, changes),
  };
}

function summaryOf(title: string, { tool }: ApprovalSubject, count: number): string {
  const what = tool === null ? visibleText(title).text : `Call ${visibleText(tool).text} with ${count} value${count === 1 ? '' : 's'}`;
  return what.slice(0, maxSummaryLength);
}

function fieldOf(path: string, value: unknown, before: ReadonlyMap<string, unknown> | null): PresentedField {
  const { text, isTruncated } = shown(value);
  const field = { path: visibleText(path).text, text, isTruncated, isChanged: false, before: null };
  if (before === null || (before.has(path) && JSON.stringify(before.get(path)) === JSON.stringify(value))) return field;
  return { ...field, isChanged: true, before: before.has(path) ? shown(before.get(path)).text : null };
}

function shown(value: unknown): { text: string; hidden: readonly HiddenCharacter[]; isTruncated: boolean } {
  const whole = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  const { text, hidden } = visibleText(whole.slice(0, maxFieldLength));
  return { text, hidden, isTruncated: whole.length > maxFieldLength };
}

type Leaf = readonly [path: string, value: unknown];

/** Every value that holds no others, in the order of the arguments. Deeper than `maxDepth`, a value is shown as JSON. */
function leaves(value: unknown, path = '', depth = 0): Leaf[] {
  const isContainer = typeof value === 'object' && value !== null;
  if (!isContainer || depth >= maxDepth) return [[path, value]];
  const parts = Array.isArray(value)
    ? value.map((each, index): Leaf => [`${path}[${index}]`, each])
    : Object.entries(value).map(([key, each]): Leaf => [within(path, key), each]);
  if (parts.length === 0) return path === '' ? [] : [[path, value]];
  return parts.flatMap(([each, part]) => leaves(part, each, depth + 1));
}

/** A key that would read as more than one, or as none, is quoted. */
function within(path: string, key: string): string {
  if (key === '' || /[.[\]"]/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}

function warningsOf(
  hidden: readonly HiddenCharacter[],
  fields: readonly PresentedField[],
  count: number,
  changes: readonly PresentedChange[],
): string[] {
  const warnings = hidden.map(({ codePoint, name, kind, count: times }) => {
    const often = times === 1 ? 'once' : `${times} times`;
    return `${codePoint} (${name.toLowerCase()}) occurs ${often}: ${kindMeanings[kind]}.`;
  });
  if (count > maxFields) warnings.push(`Only ${maxFields} of ${count} values are shown here; the whole is in \`arguments\`.`);
  for (const { path, isTruncated } of fields) {
    if (isTruncated) warnings.push(`${path} is longer than ${maxFieldLength} characters; the whole is in \`arguments\`.`);
  }
  for (const { path, isTruncated } of changes) {
    if (isTruncated) warnings.push(`More lines of ${path} change than are shown; the whole is in \`arguments\`.`);
  }
  return warnings;
}

const kindMeanings = {
  control: 'it steers terminals and is not seen',
  bidirectional: 'it makes text read in another order than it runs',
  invisible: 'it is not seen',
  space: 'it looks like a space and is none',
  lookalike: 'it looks like another letter',
} as const satisfies Record<HiddenCharacter['kind'], string>;
