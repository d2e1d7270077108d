// The document people write (`signalbox/v1`, kind Agent): its structure in zod, and the JSON Schema that editors complete it by.
// What needs more than one part of the document (references, cycles) stands in definition-graph.ts.
import { z } from 'zod';
import { approvalTermsField } from '../approvals/approval-terms-schema.ts';
import { parseDuration } from '../platform/duration.ts';
import { knownKeys, textOf } from '../platform/problems.ts';
import { dataReferencePattern } from '../rules/data-scope.ts';
import { riskClasses, splitToolName } from '../tools/tool.ts';
import { maxDescriptionLength, nameForm, namePattern } from '../tenants/tenant.ts';
import { isVersion } from './agent.ts';
import { httpSchema } from './definition-http.ts';
import { maxLoopIterations, signalNameForm, signalNamePattern } from './definition.ts';

export const maxSteps = 500;
export const defaults = {
  concurrency: 10,
  timeout: '60s',
  retry: { maxAttempts: 1, initial: '1s', factor: 2, max: '1m' },
  approval: { risk: 'medium', expiresIn: '24h' },
  onFailure: 'fail',
} as const;

const stepIdPattern = /^[A-Za-z_][A-Za-z0-9_-]{0,62}$/;
export const maxDurationMs = 365 * 86_400_000;

const name = (description: string) => z.string().regex(namePattern, nameForm).describe(description);

const duration = (description: string, minMs = 1) =>
  z
    .string({ error: () => 'a duration such as "500ms", "30s", "5m", "24h" or "7d"' })
    .refine((text) => {
      const milliseconds = parseDuration(text);
      return milliseconds !== null && milliseconds >= minMs && milliseconds <= maxDurationMs;
    }, `a duration from ${minMs}ms to 365d, such as "500ms", "30s", "5m", "24h" or "7d"`)
    .meta({ description, pattern: '^[0-9]{1,12}(ms|s|m|h|d)$' });

const expression = (description: string) =>
  z
    .string({ error: () => 'a JSONata expression as text' })
    .min(1, 'a JSONata expression')
    .describe(`${description} JSONata, bare or as \${{ }}.`);

const stepId = (description: string) =>
  z.string().regex(stepIdPattern, 'a letter or _, then letters, digits, _ and -, at most 63 characters').describe(description);
const toolName = z.string().refine((text) => splitToolName(text) !== null, 'server.tool, for example files.read_text_file');
const integer = (min: number, max: number) =>
  z
    .int({ error: () => `a whole number from ${min} to ${max}` })
    .min(min, `${min} to ${max}`)
    .max(max, `${min} to ${max}`);

const retry = knownKeys({
  maxAttempts: integer(1, 100).default(defaults.retry.maxAttempts).describe('Tries in all; 1 = no retry.'),
  initial: duration('Longest delay before the second try.').default(defaults.retry.initial),
  factor: z.number().min(1, '1 to 100').max(100, '1 to 100').default(defaults.retry.factor).describe('Growth of the delay.'),
  max: duration('The delay never grows above this.').default(defaults.retry.max),
}).describe('When the tool, the request or the agent fails: delay = random × min(max, initial × factor^n).');

const approval = knownKeys({
  title: z.string().min(1, 'a text').describe('What is to be approved. May hold ${{ }}.'),
  reason: z.string().optional().describe('Why. May hold ${{ }}.'),
  risk: z.enum(riskClasses).default(defaults.approval.risk).describe('Risk class shown to the approver and to policies.'),
  expiresIn: duration('How long the request stays open; then the step is blocked.', 1000).default(defaults.approval.expiresIn),
  show: z.unknown().optional().describe('What the approver sees and signs. Strings may hold ${{ JSONata }}.'),
  approvers: approvalTermsField.optional(),
}).describe('Waits for a person. Output: { decision: "approved", by, note }.');

const branchCase = knownKeys({
  when: expression('Condition of this case; a case without one always matches and stands last.').optional(),
  then: z.array(stepId('Id of a step.')).describe('Steps that run when this case is chosen; the others are skipped.'),
});

const loop = knownKeys({
  until: expression('The loop ends when this is true of `output`, the output of the iteration that has ended (with `index`).'),
  max: integer(1, maxLoopIterations).describe('Iterations at most; then the step fails.'),
  every: duration('Pause between two iterations; none by default.', 1).optional(),
}).describe('The step runs again and again: `index` counts from 0, `previous` is the output of the iteration before (null in the first).');

const wait = z
  .union(
    [
      z.string().min(1),
      knownKeys({ until: expression('A moment: ISO 8601 with a zone, or milliseconds since 1970.') }),
      knownKeys({
        signal: z.string().regex(signalNamePattern, signalNameForm).describe('Name of the signal.'),
        timeout: duration('How long it waits; then the step fails. Without one it waits for ever.', 1_000).optional(),
      }),
    ],
    { error: () => 'a duration such as "10s", an expression that gives one, { until: … } or { signal: … }' },
  )
  .describe('Waits: for a duration such as 10s or ${{ }} giving one (a text such as "10s", or seconds), until a moment, or for a signal.');

const agentStep = z
  .union(
    [
      name('Name of an agent of the same project.'),
      knownKeys({
        name: name('Name of an agent of the same project.'),
        version: z
          .string()
          .refine(isVersion, 'a semantic version, for example 1.2.0')
          .optional()
          .describe('Default: the version that is live.'),
        onParentEnd: z
          .enum(['cancel', 'abandon'])
          .default('cancel')
          .describe('What becomes of the execution when this one ends first: it is cancelled, or goes on by itself.'),
      }),
    ],
    { error: () => 'the name of an agent, or { name, version, onParentEnd }' },
  )
  .describe('Starts an execution of another agent in the same environment, with the inputs in `with`, and waits for its output.');

export const stepKeys = ['tool', 'http', 'agent', 'transform', 'approval', 'wait', 'branch'] as const;

export const stepSchema = knownKeys({
  id: stepId('Name of the step, unique in the definition; others refer to it as steps.<id>.'),
  needs: z.array(stepId('Id of a step.')).optional().describe('Steps to wait for, besides those that expressions refer to.'),
  when: expression('The step is skipped unless this is true.').optional(),
  forEach: expression(
    'A list; the step runs once for each `item` (with `index`). For what repeats: tools, requests, agents, transforms.',
  ).optional(),
  reduce: expression('After forEach: one value from `items`, the outputs in order; it becomes the output of the step.').optional(),
  loop: loop.optional(),
  concurrency: integer(1, 100).optional().describe(`Items at a time; default ${defaults.concurrency}.`),
  tool: toolName.optional().describe('Calls a tool: server.tool. It must stand in spec.tools.'),
  with: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Arguments of the tool, inputs of the agent. Strings may hold ${{ JSONata }}.'),
  http: httpSchema.optional(),
  agent: agentStep.optional(),
  transform: expression('Computes a value.').optional(),
  approval: approval.optional(),
  wait: wait.optional(),
  branch: z
    .array(branchCase)
    .min(1, 'at least one case')
    .max(100)
    .optional()
    .describe('The first case that matches decides. Output: { case: index } or { case: null }.'),
  retry: retry.optional(),
  timeout: duration(`Longest attempt of a tool or request, or evaluation of a transform; default ${defaults.timeout}.`).optional(),
  onFailure: z
    .enum(['fail', 'continue'])
    .default(defaults.onFailure)
    .describe('continue: dependents run although this step failed or was blocked; its output is null and steps.<id>.error is set.'),
}).meta({ oneOf: stepKeys.map((key) => ({ required: [key] })) });
export type StepDocument = z.output<typeof stepSchema>;

const unique = (values: readonly string[]) => new Set(values).size === values.length;

const hostPattern = /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]{1,5})?$/i;

const capability = (description: string) => z.boolean().default(false).describe(description);

const spec = knownKeys({
  version: z
    .string({ error: () => 'a semantic version in quotes, for example "1.2.0"' })
    .refine(isVersion, 'a semantic version, for example 1.2.0')
    .describe('Semantic version (semver.org 2.0.0) of this definition, unique for the agent.'),
  owner: textOf(200).optional().describe('Whom to ask.'),
  description: textOf(maxDescriptionLength).default('').describe('What the agent does.'),
  capabilities: knownKeys({
    read: capability('May call tools that read, and send GET, HEAD and OPTIONS requests.'),
    write: capability('May call tools that change something, and send requests of every other method.'),
    notify: capability('May call tools that send messages to people.'),
    execute: capability('May call tools that run programs.'),
  })
    .prefault({})
    .describe('What its tools may do; a tool whose capability is missing here is denied.'),
  destinations: z
    .array(z.string().regex(hostPattern, 'a host such as api.example.com, *.example.com or example.com:8443'))
    .max(100)
    .refine(unique, 'each host once')
    .default([])
    .describe('Hosts that http steps may reach; *. stands for every name below. Without a port: the usual one of http or https.'),
  data: z
    .array(z.string().regex(dataReferencePattern, 'dataset:, api: or service: and a name, for example dataset:orders'))
    .max(100)
    .refine(unique, 'each reference once')
    .default([])
    .describe('Datasets, APIs and services it touches, for policies of the kind data_scope: dataset:orders, api:payments, service:mail.'),
  inputs: z
    .record(z.string(), z.unknown())
    .default({ type: 'object' })
    .describe('JSON Schema (draft 2020-12) of the inputs; of type object.'),
  tools: z.array(toolName).max(500).refine(unique, 'each tool once').default([]).describe('Tools that steps may call, as server.tool.'),
  steps: z
    .array(stepSchema)
    .min(1, 'at least one step')
    .max(maxSteps)
    .describe('What happens. Order comes from references and needs; the rest runs in parallel.'),
  output: z.unknown().optional().describe('Result of the execution: an expression, or JSON whose strings may hold ${{ JSONata }}.'),
});

export const documentSchema = knownKeys({
  apiVersion: z.literal('signalbox/v1').describe('Version of this format.'),
  kind: z.literal('Agent').describe('An agent definition.'),
  metadata: knownKeys({
    name: name('Name of the agent, unique in its project.'),
    project: name('Name of the project it belongs to.').optional(),
    tags: z
      .array(textOf(63).min(1, 'a text'))
      .max(50)
      .refine(unique, 'each tag once')
      .default([])
      .describe('Words to find it by; policies may name them.'),
  }).describe('Who it is.'),
  spec: spec.describe('What it does.'),
}).meta({
  title: 'Signalbox agent definition',
  description: 'An agent: what it may do, its inputs, steps and output. See docs/definitions.md.',
});
export type DefinitionDocument = z.output<typeof documentSchema>;

/** The JSON Schema (draft 2020-12) of the document; committed as definition.schema.json. */
export function definitionJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(documentSchema, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>;
}
