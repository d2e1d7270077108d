// What the analysis of arguments can find, with the risk each finding carries. Pure; no I/O.
import { riskClasses, type RiskClass, type RiskSign } from './tool.ts';

/** Codes are stable: policies name them. */
export const signRisks = {
  // Commands
  recursive_delete: 'high',
  root_delete: 'critical',
  disk_write: 'critical',
  fork_bomb: 'critical',
  pipe_to_shell: 'critical',
  obfuscated_command: 'critical',
  reverse_shell: 'critical',
  cloud_metadata: 'critical',
  world_writable: 'high',
  set_user_id: 'high',
  open_server: 'high',
  privilege_escalation: 'high',
  container_escape: 'high',
  account_change: 'high',
  system_control: 'high',
  persistence: 'high',
  cover_tracks: 'high',
  library_injection: 'high',
  infrastructure_destroy: 'high',
  history_rewrite: 'high',
  data_upload: 'medium',
  inline_code: 'high',
  dynamic_command: 'high',
  unparsable_command: 'high',
  /** What cannot be followed to its end could be anything. */
  too_complex: 'critical',
  // Files
  secret_file: 'high',
  system_file: 'high',
  system_file_read: 'medium',
  // Text
  hidden_characters: 'medium',
} as const satisfies Record<string, RiskClass>;
export type SignCode = keyof typeof signRisks;

const maxSigns = 20;
const maxSubjectLength = 120;

export interface Findings {
  add(code: SignCode, detail: string): void;
  /** In the order found; the first ones when there are too many, the worst always among them. */
  readonly signs: readonly RiskSign[];
}

/** `at` is where in the arguments: `arguments.command`. */
export function createFindings(): Findings & { at: string } {
  const found = new Map<string, RiskSign>();
  return {
    at: 'arguments',
    add(code, detail) {
      const sign = { code, risk: signRisks[code], detail: `${this.at}: ${detail}` };
      found.set(`${code} ${sign.detail}`, sign);
    },
    get signs() {
      const all = [...found.values()];
      if (all.length <= maxSigns) return all;
      return all.toSorted((a, b) => riskClasses.indexOf(b.risk) - riskClasses.indexOf(a.risk)).slice(0, maxSigns);
    },
  };
}

/** A piece of a command as a person may read it: short, on one line, what is unknown as `…`. */
export function shown(text: string): string {
  // oxlint-disable-next-line no-control-regex -- the mark for what is unknown is a control character on purpose
  const line = text.replaceAll('\0', '…').replace(/[\u0001-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f]/g, '�');
  return JSON.stringify(line.length > maxSubjectLength ? `${line.slice(0, maxSubjectLength)}…` : line);
}
