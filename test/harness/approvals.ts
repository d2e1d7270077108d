// An approval log that keeps what it is told, for tests without executions.
import type { ApprovalLog, ApprovalNote, CallFact } from '#src/approvals/approval-log.ts';

export interface RecordingLog extends ApprovalLog {
  readonly told: { readonly approvalId: string; readonly note: ApprovalNote | CallFact }[];
}

export function recordingLog(): RecordingLog {
  const told: RecordingLog['told'] = [];
  return {
    told,
    hold: async () => {},
    note: async (_uow, { id }, notes) => void told.push(...notes.map((note) => ({ approvalId: id, note }))),
    tellCall: async (_uow, { id }, fact) => void told.push({ approvalId: id, note: fact }),
  };
}
