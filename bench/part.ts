// What a part of the benchmark gives: tables of ratios for people, and figures that hold for one machine only.
import type { Stand } from './stand.ts';

export interface Options {
  /** The smallest size of everything. */
  readonly quick: boolean;
  readonly peers: boolean;
  /** Rounds that count. */
  readonly rounds: number;
  readonly roundMs: number;
  /** Before the first round. */
  readonly warmUpMs: number;
  /** Jobs at a time in a runner process. */
  readonly concurrency: number;
  /** Folder that outlives the run; what is large is generated there once. */
  readonly data?: string | undefined;
}

export interface Row {
  readonly what: string;
  /** One per column; null where it cannot be measured here. */
  readonly values: readonly (number | null)[];
  readonly target: string | null;
}

export interface Table {
  readonly title: string;
  readonly format: 'ratio' | 'count';
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

export interface PartResult {
  readonly tables: readonly Table[];
  /** Absolute figures: for tools that compare runs on one machine. */
  readonly machineSpecific: unknown;
}

export interface Part {
  readonly name: string;
  readonly summary: string;
  /** Has a stand of its own; `say` tells of progress. */
  run(stand: Stand, options: Options, say: (line: string) => void): Promise<PartResult>;
}

/** A table as text: ratios with two digits, or more for small ones. */
export function printed({ title, format, columns, rows }: Table): string {
  const cells = [
    ['', ...columns, 'target'],
    ...rows.map(({ what, values, target }) => [what, ...values.map((value) => text(value, format)), target ?? '']),
  ];
  const widths = cells[0]!.map((_, index) => Math.max(...cells.map((row) => row[index]!.length)));
  const lines = cells.map((row) =>
    row.map((cell, index) => (index === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[index]!))).join('  '),
  );
  return [title, ...lines.map((line) => `  ${line}`.trimEnd())].join('\n');
}

function text(value: number | null, format: Table['format']): string {
  if (value === null) return '–';
  if (format === 'count') return value >= 100 ? value.toFixed(0) : value.toFixed(1);
  return `${value >= 10 ? value.toFixed(1) : value.toPrecision(value < 0.1 ? 1 : value < 1 ? 2 : 3)} ×`;
}
