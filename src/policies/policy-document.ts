// The policy document people write in a file, and the JSON Schemas by which editors complete it. No I/O.
import { z } from 'zod';
import { readText, type Position } from '../agents/definition-text.ts';
import type { Problem } from '../platform/errors.ts';
import { knownKeys, problemsOf } from '../platform/problems.ts';
import { namePattern } from '../tenants/tenant.ts';
import { attachmentFields, maxAttachments, policyFields, rolloutFields, tagField, toolField } from './policy-input.ts';
import type { FailureMode, PolicyKind, PolicyMode } from '../rules/policy.ts';
import type { NamedScope } from './policy-names.ts';
import { durationBetween } from '../rules/rule-fields.ts';
import { rulesSchemas } from '../rules/rules.ts';

const placeName = (what: string) =>
  z
    .string()
    .regex(namePattern)
    .optional()
    .meta({ description: `Name of the ${what} it is limited to.` });

const scope = knownKeys({
  project: placeName('project'),
  environment: placeName('environment (of the project)'),
  agent: placeName('agent (of the project)'),
  team: placeName('team that has the agent'),
  tag: tagField.optional(),
  tool: toolField.optional(),
})
  .default({})
  .meta({ description: 'Every member that is given must match; none: the whole tenant.' });

const commonFields = {
  ...policyFields,
  enabled: z.boolean().optional().meta({ description: 'Left out: as it is; a new policy is switched on.' }),
  scope,
  attachments: z
    .array(knownKeys({ scope, ...attachmentFields }))
    .max(maxAttachments)
    .default([])
    .meta({
      description:
        'More places of the same policy. Of those that cover an effect the nearest counts: agent, tool, tag, team, environment, project, tenant.',
    }),
  rollout: knownKeys({
    ...rolloutFields,
    window: durationBetween('1m', '14d', '1h, 24h or 7d')
      .optional()
      .meta({ description: 'Time in which denials are counted; default 1h.' }),
  })
    .optional()
    .meta({ description: 'Switches it on by and by.' }),
};

const kinds = Object.keys(rulesSchemas) as PolicyKind[];
const documentOf = (kind: PolicyKind) => knownKeys({ ...commonFields, kind: z.literal(kind), rules: rulesSchemas[kind] as z.ZodType });
const [firstKind, ...otherKinds] = kinds.map(documentOf);

const documentSchema = z
  .discriminatedUnion('kind', [firstKind!, ...otherKinds])
  .meta({ title: 'Signalbox policy', description: 'A policy: where it applies, and its rules.' });
/** Finds what else is wrong with a document of no known kind. */
const anyKind = knownKeys({ ...commonFields, kind: z.enum(kinds), rules: z.unknown() });

export interface PolicyFileDocument {
  readonly name: string;
  readonly description: string;
  readonly kind: PolicyKind;
  readonly mode: PolicyMode;
  readonly priority: number;
  readonly onError: FailureMode;
  readonly enabled?: boolean | undefined;
  readonly scope: NamedScope;
  readonly attachments: readonly {
    readonly scope: NamedScope;
    readonly mode?: PolicyMode | undefined;
    readonly priority?: number | undefined;
    readonly enabled?: boolean | undefined;
  }[];
  readonly rollout?:
    { readonly percent: number; readonly maxDenialPercent?: number | undefined; readonly window?: string | undefined } | undefined;
  /** As the author wrote them. */
  readonly rules: unknown;
}

type Refused = { readonly ok: false; readonly problems: Problem[] };

/** Checks a parsed YAML or JSON document as a whole. */
export function parsePolicyDocument(value: unknown): { readonly ok: true; readonly document: PolicyFileDocument } | Refused {
  const { kind } = (typeof value === 'object' && value !== null ? value : {}) as { readonly kind?: unknown };
  const parsed = (kinds.some((known) => known === kind) ? documentSchema : anyKind).safeParse(value, { reportInput: true });
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error) };
  // Rules are kept as they were written: a default of today must not become part of a version.
  const { rules } = value as { readonly rules: unknown };
  return { ok: true, document: { ...(parsed.data as PolicyFileDocument), rules } };
}

const maxProblems = 200;

/** Checks a text as a whole; each problem with its place in it, in the order of the text. */
export function readPolicyDocument(
  text: string,
): { readonly ok: true; readonly document: PolicyFileDocument; locate(path: string): Position } | Refused {
  const read = readText(text);
  if (!('value' in read)) return { ok: false, problems: [...read] };
  const parsed = parsePolicyDocument(read.value);
  const found = parsed.ok ? [] : parsed.problems.map((each) => ({ ...each, ...placeIn(read, each) }));
  const problems = [...read.problems, ...found].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  if (!parsed.ok || problems.length > 0) return { ok: false, problems: problems.slice(0, maxProblems) };
  return { ok: true, document: parsed.document, locate: (path) => read.locate(path) };
}

/** An unknown key is where the key stands; everything else where its value stands. */
const placeIn = (read: { locate(path: string): Position; locateKey(path: string): Position }, { path, message }: Problem): Position =>
  message === 'unknown key' ? read.locateKey(path) : read.locate(path);

/** File name in `policies/` → content: one schema per rules document, and one of the whole policy document. */
export function policySchemaFiles(): ReadonlyMap<string, string> {
  const text = (schema: z.ZodType) => `${JSON.stringify(z.toJSONSchema(schema, { io: 'input' }), null, 2)}\n`;
  return new Map([
    ...kinds.map((kind) => [`${kind}.schema.json`, text(rulesSchemas[kind])] as const),
    ['policy.schema.json', text(documentSchema)],
  ]);
}
