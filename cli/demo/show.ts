// What the demo prints: one readable line per event, and the approval exactly as its approver signs it. Colour only on a terminal.
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

const paint = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout });

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
}

const styles: readonly (readonly [RegExp, Style])[] = [
  [/SUCCEEDED$|APPROVED$/, 'green'],
  [/FAILED$|BLOCKED$|REJECTED$|EXPIRED$|CANCELLED$/, 'red'],
  [/^APPROVAL|WAITING$/, 'yellow'],
  [/QUEUED$|SKIPPED$/, 'dim'],
];

/** ` 7  12:00:01.123  step.succeeded      read[2]  1.2 kB` */
export function eventLine(event: ShownEvent): string {
  const style = styles.find(([pattern]) => pattern.test(event.type))?.[1] ?? 'reset';
  const name = event.type.toLowerCase().replace('_', '.');
  const slot = event.stepId ? `${event.stepId}${event.itemIndex == null ? '' : `[${event.itemIndex}]`}` : '';
  const facts = [
    event.total == null ? '' : `${event.total} items`,
    event.attempt != null && event.attempt > 1 ? `attempt ${event.attempt}` : '',
    event.outputBytes == null ? '' : `${event.outputBytes} bytes`,
    event.failure ? `${event.failure.code}: ${event.failure.message}` : '',
  ].filter(Boolean);
  const line = `${String(event.sequence).padStart(4)}  ${event.occurredAt.slice(11, 23)}  ${paint(style, name.padEnd(20))} ${slot.padEnd(10)} ${facts.join(', ')}`;
  return line.trimEnd();
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
  const shown = approval.arguments as { path?: unknown; content?: unknown } | null;
  const body = typeof shown?.content === 'string' ? `${String(shown.path)}\n\n${shown.content}` : JSON.stringify(shown, null, 2);
  const frame = body.split('\n').map((line) => `  │ ${line}`);
  return [
    '',
    paint('bold', `  Approval wanted: ${approval.title}`) + `  (risk ${approval.risk.toLowerCase()}, open until ${approval.expiresAt})`,
    `  ${approval.reason}`,
    ...frame,
    paint('dim', `  digest ${approval.digest}`),
    '',
  ].join('\n');
}
