// The normalised form of an agent definition: what a version stores and the machine runs. Parsing stands in definition-parse.ts.
import type { DataReference } from '../rules/gate.ts';
import type { ApprovalTerms } from '../approvals/approval-terms.ts';
import type { Capability, RiskClass } from '../tools/tool.ts';

export const stepKinds = ['tool', 'http', 'agent', 'transform', 'approval', 'wait', 'branch'] as const;
/** Most iterations of one loop. */
export const maxLoopIterations = 10_000;

export const signalNamePattern = /^[A-Za-z_][A-Za-z0-9_.-]{0,62}$/;
export const signalNameForm = 'a letter or _, then letters, digits, "_", "." and "-", at most 63 characters';

export type StepKind = (typeof stepKinds)[number];

/** Text that may hold `${{ }}` expressions, or any JSON whose strings may. Evaluated by src/expressions. */
export type Template = unknown;

export interface Retry {
  /** Tries in all, 1 = no retry. */
  readonly maxAttempts: number;
  readonly initialMs: number;
  readonly factor: number;
  readonly maxMs: number;
}

export interface StepDefinition {
  readonly id: string;
  readonly kind: StepKind;
  /** Ids this step waits for: declared `needs`, references in its expressions, and the branch that leads to it. */
  readonly needs: readonly string[];
  /** JSONata source (without `${{ }}`) that must be true, else the step is skipped. */
  readonly when?: string | undefined;
  /** JSONata source giving a list; the step runs once per `item` (with `index`). */
  readonly forEach?: string | undefined;
  /** JSONata source over `items`, the outputs of a forEach in order; its value is the step's output instead of the list. */
  readonly reduce?: string | undefined;
  /** The step runs again (`index`, `previous` output) until `until` over `output` is true, at most `max` times. */
  readonly loop?: { readonly until: string; readonly max: number; readonly everyMs: number } | undefined;
  /** Items at a time, 1…; used with `forEach`. */
  readonly concurrency: number;
  readonly retry: Retry;
  /** For one attempt of a tool or request, one evaluation of a transform; milliseconds. */
  readonly timeoutMs: number;
  readonly onFailure: 'fail' | 'continue';
  readonly tool?: { readonly name: string; readonly with: Readonly<Record<string, Template>> } | undefined;
  readonly http?: HttpRequestDefinition | undefined;
  /** Starts an execution of another agent of the same project, in the same environment, and waits for it. */
  readonly agent?:
    | {
        readonly name: string;
        /** Absent: the version that is live there at that moment. */
        readonly version?: string | undefined;
        readonly with: Readonly<Record<string, Template>>;
        /** What becomes of it when this execution ends first. */
        readonly onParentEnd: 'cancel' | 'abandon';
      }
    | undefined;
  readonly transform?: string | undefined;
  readonly approval?:
    | {
        readonly title: Template;
        readonly reason: Template;
        readonly risk: RiskClass;
        readonly expiresInMs: number;
        /** What the approver is shown and signs. */
        readonly show: Template;
        /** Absent: one person with the permission to decide. */
        readonly terms?: ApprovalTerms | undefined;
      }
    | undefined;
  readonly wait?: WaitDefinition | undefined;
  /** Cases in order: the first whose `when` is true decides; a case without `when` always matches. */
  readonly branch?: readonly { readonly when?: string | undefined; readonly then: readonly string[] }[] | undefined;
}

export interface HttpRequestDefinition {
  readonly method: (typeof httpMethods)[number];
  readonly url: Template;
  readonly headers: Readonly<Record<string, Template>>;
  readonly body?: Template | undefined;
  /** Status codes, first and last, that count as success. */
  readonly expect: readonly (readonly [number, number])[];
  readonly maxBytes: number;
}
export const httpMethods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

export type WaitDefinition =
  | { readonly durationMs: number }
  /** JSONata source giving a duration text such as `"10s"` or a number of seconds. */
  | { readonly expression: string }
  /** JSONata source giving a moment: ISO 8601 text or milliseconds since the epoch. */
  | { readonly until: string }
  | { readonly signal: string; readonly timeoutMs: number | null };

export interface Definition {
  readonly name: string;
  readonly project?: string | undefined;
  readonly version: string;
  readonly owner?: string | undefined;
  readonly description: string;
  readonly tags: readonly string[];
  readonly capabilities: Readonly<Record<Capability, boolean>>;
  /** Host patterns the agent may reach. */
  readonly destinations: readonly string[];
  /** `server.name` of each tool it may call. */
  readonly tools: readonly string[];
  /** Data it declares to touch; absent: none. */
  readonly data?: readonly DataReference[] | undefined;
  /** JSON Schema (draft 2020-12) of the inputs. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly steps: readonly StepDefinition[];
  readonly output?: Template | undefined;
}
