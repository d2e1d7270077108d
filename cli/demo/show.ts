// What the demo prints while it runs: one readable line per event, and the approval exactly as its approver signs it.
// Colour only on a terminal; what could deceive the eye is made visible.
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

export const paint = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout });

/** Control characters, and those that are invisible or turn the direction of reading, as their code: `<U+001B>`. */
export function visible(text: string): string {
  const code = (character: string) => `<U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}>`;
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, code);
}

/** Lines of the log as words: `warn: a runner died; …`. */
export const readableLog = {
  write(line: string): void {
    const { level, msg, err } = JSON.parse(line) as { level: string; msg: string; err?: { message?: string } };
    process.stderr.write(`  ${level}: ${visible(msg.split('\n')[0]!)}${err?.message ? ` (${visible(err.message)})` : ''}\n`);
  },
};

/** The uuid in a global id (`RXhlY3V0aW9uOi…` is `Execution:01a1…`). */
export const readableId = (id: string): string => Buffer.from(id, 'base64').toString().replace(/^.*:/s, '');

export interface ShownEvent {
  readonly sequence: number;
  readonly type: string;
  readonly occurredAt: string;
  readonly stepId?: string | null | undefined;
  readonly itemIndex?: number | null | undefined;
  readonly attempt?: number | null | undefined;
  readonly total?: number | null | undefined;
  readonly outputBytes?: number | null | undefined;
  readonly failure?: { readonly code: string; readonly message: string } | null | undefined;
  /** Name of the person who decided. */
  readonly by?: string | null | undefined;
}

const styles: readonly (readonly [RegExp, Style])[] = [
  [/SUCCEEDED$|APPROVED$/, 'green'],
  [/FAILED$|BLOCKED$|REJECTED$|EXPIRED$|CANCELLED$/, 'red'],
  [/^APPROVAL|WAITING$|INTERRUPTED$|SCHEDULED$/, 'yellow'],
  [/QUEUED$|SKIPPED$/, 'dim'],
];

/** `  14  12:00:01.123  step.succeeded        read[2]    8290 bytes` */
export function eventLine(event: ShownEvent): string {
  const style = styles.find(([pattern]) => pattern.test(event.type))?.[1] ?? 'reset';
  const name = event.type.toLowerCase().replace('_', '.');
  const slot = event.stepId ? `${event.stepId}${event.itemIndex == null ? '' : `[${event.itemIndex}]`}` : '';
  const facts = [
    event.total == null ? '' : `${event.total} items`,
    event.attempt != null && event.attempt > 1 ? `attempt ${event.attempt}` : '',
    event.outputBytes == null ? '' : `${event.outputBytes} bytes`,
    event.by ? `by ${visible(event.by)}` : '',
    event.failure ? `${event.failure.code}: ${visible(event.failure.message)}` : '',
  ].filter(Boolean);
  const columns = [String(event.sequence).padStart(4), event.occurredAt.slice(11, 23), paint(style, name.padEnd(20)), slot.padEnd(10)];
  return `${columns.join('  ')} ${facts.join(', ')}`.trimEnd();
}

export interface ShownApproval {
  readonly title: string;
  readonly reason: string;
  readonly risk: string;
  readonly digest: string;
  readonly expiresAt: string;
  readonly arguments?: unknown;
}

export function approvalText(approval: ShownApproval): string {
  const lines = [
    paint('bold', `Approval wanted: ${visible(approval.title)}`),
    `${visible(approval.reason)} Risk ${approval.risk.toLowerCase()}; open until ${approval.expiresAt}.`,
    ...signedLines(approval.arguments).map((line) => `${paint('dim', '│')} ${line}`),
    paint('dim', `digest ${approval.digest}`),
  ];
  return `\n${lines.map((line) => `  ${line}`.trimEnd()).join('\n')}\n`;
}

/** All of it, nothing shortened; texts of several lines as they will stand in a file. */
function signedLines(signed: unknown): string[] {
  if (typeof signed !== 'object' || signed === null || Array.isArray(signed)) return [visible(JSON.stringify(signed))];
  return Object.entries(signed).flatMap(([name, value]) => {
    const label = `${paint('bold', visible(name))}:`;
    if (typeof value !== 'string') return [`${label} ${visible(JSON.stringify(value))}`];
    if (!value.includes('\n')) return [`${label} ${visible(value)}`];
    return [label, ...value.split('\n').map((line) => `  ${visible(line)}`)];
  });
}
