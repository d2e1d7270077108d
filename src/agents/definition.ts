// The normalised form of an agent definition: what a version stores and the machine runs. Parsing stands in definition-parse.ts.
import type { Capability, RiskClass } from '../tools/tool.ts';

export const stepKinds = ['tool', 'transform', 'approval', 'wait', 'branch'] as const;
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
  /** Items at a time, 1…; used with `forEach`. */
  readonly concurrency: number;
  readonly retry: Retry;
  /** For one attempt of a tool, one evaluation of a transform; milliseconds. */
  readonly timeoutMs: number;
  readonly onFailure: 'fail' | 'continue';
  readonly tool?: { readonly name: string; readonly with: Readonly<Record<string, Template>> } | undefined;
  readonly transform?: string | undefined;
  readonly approval?:
    | {
        readonly title: Template;
        readonly reason: Template;
        readonly risk: RiskClass;
        readonly expiresInMs: number;
        /** What the approver is shown and signs. */
        readonly show: Template;
      }
    | undefined;
  /** Milliseconds, or a JSONata source giving a duration text such as `"10s"` or a number of seconds. */
  readonly wait?: { readonly durationMs: number } | { readonly expression: string } | undefined;
  /** Cases in order: the first whose `when` is true decides; a case without `when` always matches. */
  readonly branch?: readonly { readonly when?: string | undefined; readonly then: readonly string[] }[] | undefined;
}

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
  /** JSON Schema (draft 2020-12) of the inputs. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly steps: readonly StepDefinition[];
  readonly output?: Template | undefined;
}
