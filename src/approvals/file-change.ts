// What a call would do to files, as far as its arguments say it, and the difference as lines. Pure; the present content is passed in.
import { structuredPatch } from 'diff';
import { visibleText, type HiddenCharacter } from './visible-text.ts';

/** What a call writes. `before` null: the whole file is replaced, and the arguments do not say what it held. */
export interface FileWrite {
  readonly path: string;
  readonly before: string | null;
  readonly after: string;
}

export const changeLineKinds = ['context', 'removed', 'added', 'gap'] as const;
export type ChangeLineKind = (typeof changeLineKinds)[number];

export interface ChangeLine {
  readonly kind: ChangeLineKind;
  /** Line in the old and in the new text, from 1; null where there is none. */
  readonly oldLine: number | null;
  readonly newLine: number | null;
  readonly text: string;
}

export interface FileChange {
  readonly path: string;
  readonly lines: readonly ChangeLine[];
  readonly added: number;
  readonly removed: number;
  /** True: more lines changed than are shown. */
  readonly isTruncated: boolean;
  readonly hidden: readonly HiddenCharacter[];
}

export const maxChangeLines = 2_000;
/** Beyond so many changed lines, or so long a search, the old text is shown as removed and the new as added. */
const maxEdits = 5_000;
const searchMs = 200;
const contextLines = 3;
const maxLineLength = 2_000;
const maxFiles = 50;

type Named = Readonly<Record<string, unknown>>;

const pathKeys = ['path', 'file_path', 'filePath', 'file', 'filename', 'fileName', 'target_file'];
const contentKeys = ['content', 'contents', 'file_text', 'fileText', 'text', 'body', 'data', 'new_content'];
const pairs = [
  ['oldText', 'newText'],
  ['old_text', 'new_text'],
  ['old_string', 'new_string'],
  ['old_str', 'new_str'],
  ['search', 'replace'],
] as const;
const writes = /write|create|edit|update|replace|patch|append|insert|save|put|push|commit|upload/i;
/** A tool that adds to a file: what it is given says nothing about the rest of it. */
export const addsTo = (tool: string): boolean => /append|insert/i.test(tool.slice(tool.indexOf('.') + 1));

const textAt = (value: Named, keys: readonly string[]): string | null => {
  const key = keys.find((each) => typeof value[each] === 'string');
  return key === undefined ? null : (value[key] as string);
};

const isObject = (value: unknown): value is Named => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The file that arguments name, as tools for files call it. */
export const pathOf = (args: unknown): string | null => (isObject(args) ? textAt(args, pathKeys) : null);

export const contentOf = (args: unknown): string | null => (isObject(args) ? textAt(args, contentKeys) : null);

/** Empty for a call that writes no file, or in a way that is not known. */
export function fileWrites(tool: string | null, args: unknown): FileWrite[] {
  if (tool === null || !isObject(args) || !writes.test(tool.slice(tool.indexOf('.') + 1))) return [];
  const listed = Array.isArray(args['files']) ? args['files'].filter(isObject) : [];
  const before = addsTo(tool) ? '' : null;
  const found = (listed.length > 0 ? listed : [args]).flatMap((file) => writesOf(file, before));
  return found.slice(0, maxFiles);
}

function writesOf(args: Named, former: '' | null): FileWrite[] {
  const path = pathOf(args);
  if (path === null) return [];
  const edits = [args, ...(Array.isArray(args['edits']) ? args['edits'].filter(isObject) : [])].flatMap((edit): FileWrite[] => {
    for (const [from, to] of pairs) {
      const [before, after] = [edit[from], edit[to]];
      if (typeof before === 'string' && typeof after === 'string') return [{ path, before, after }];
    }
    return [];
  });
  if (edits.length > 0) return edits;
  const after = contentOf(args);
  return after === null ? [] : [{ path, before: former, after }];
}

/** The two texts as lines that a person reads. Differences in invisible characters alone are differences here, too. */
export function fileChange({ path, before, after }: FileWrite): FileChange {
  const { lines, added, removed } = changedLines(before ?? '', after);
  const shownPath = visibleText(path);
  const hidden: HiddenCharacter[][] = [[...shownPath.hidden]];
  const shown = lines.slice(0, maxChangeLines).map((line) => {
    const cut = line.text.length > maxLineLength ? `${line.text.slice(0, maxLineLength)} … ${line.text.length} characters` : line.text;
    const visible = visibleText(cut);
    if (line.kind === 'added') hidden.push([...visible.hidden]);
    return { ...line, text: visible.text };
  });
  return { path: shownPath.text, lines: shown, added, removed, isTruncated: lines.length > maxChangeLines, hidden: hidden.flat() };
}

function changedLines(before: string, after: string): { lines: ChangeLine[]; added: number; removed: number } {
  const patch = structuredPatch('a', 'b', before, after, '', '', { context: contextLines, maxEditLength: maxEdits, timeout: searchMs });
  if (!patch) return replaced(before, after);
  const lines: ChangeLine[] = [];
  let [added, removed] = [0, 0];
  for (const hunk of patch.hunks) {
    let [oldLine, newLine] = [hunk.oldStart, hunk.newStart];
    if (lines.length > 0 || oldLine > 1) lines.push({ kind: 'gap', oldLine: null, newLine: null, text: '' });
    for (const line of hunk.lines) {
      const text = line.slice(1);
      if (line.startsWith('+')) lines.push({ kind: 'added', oldLine: null, newLine: newLine++, text });
      else if (line.startsWith('-')) lines.push({ kind: 'removed', oldLine: oldLine++, newLine: null, text });
      else if (line.startsWith(' ')) lines.push({ kind: 'context', oldLine: oldLine++, newLine: newLine++, text });
      if (line.startsWith('+')) added += 1;
      if (line.startsWith('-')) removed += 1;
    }
  }
  return { lines, added, removed };
}

function replaced(before: string, after: string) {
  const removed = before === '' ? [] : before.split('\n');
  const added = after.split('\n');
  const lines = [
    ...removed.map((text, index): ChangeLine => ({ kind: 'removed', oldLine: index + 1, newLine: null, text })),
    ...added.map((text, index): ChangeLine => ({ kind: 'added', oldLine: null, newLine: index + 1, text })),
  ];
  return { lines, added: added.length, removed: removed.length };
}
