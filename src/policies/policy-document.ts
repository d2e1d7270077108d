// The policy document people write in a file, and the JSON Schemas by which editors complete it. No I/O.
import { z } from 'zod';
import type { Problem } from '../platform/errors.ts';
import { knownKeys, problemsOf } from '../platform/problems.ts';
import { namePattern } from '../tenants/tenant.ts';
import { policyFields, tagField } from './policy-input.ts';
import { policyKinds, type PolicyKind } from './policy.ts';
import { rulesSchemas } from './rules.ts';

const placeName = (what: string) =>
  z
    .string()
    .regex(namePattern)
    .optional()
    .meta({ description: `Name of the ${what} it is limited to.` });

const documentOf = <Kind extends PolicyKind>(kind: Kind) =>
  knownKeys({
    ...policyFields,
    kind: z.literal(kind),
    scope: knownKeys({
      project: placeName('project'),
      environment: placeName('environment'),
      agent: placeName('agent'),
      tag: tagField.optional(),
    })
      .default({})
      .meta({ description: 'Every member that is given must match; none: the whole tenant.' }),
    rules: rulesSchemas[kind],
  });

const documentSchema = z
  .discriminatedUnion('kind', [documentOf('tool_access'), documentOf('approval_required')])
  .meta({ title: 'Signalbox policy', description: 'A policy: where it applies, and its rules.' });

export type PolicyFileDocument = z.output<typeof documentSchema>;

/** Checks a parsed YAML or JSON document as a whole. */
export function parsePolicyDocument(value: unknown): { ok: true; document: PolicyFileDocument } | { ok: false; problems: Problem[] } {
  const parsed = documentSchema.safeParse(value, { reportInput: true });
  return parsed.success ? { ok: true, document: parsed.data } : { ok: false, problems: problemsOf(parsed.error) };
}

/** File name in `policies/` → content: one schema per rules document, and one of the whole policy document. */
export function policySchemaFiles(): ReadonlyMap<string, string> {
  const text = (schema: z.ZodType) => `${JSON.stringify(z.toJSONSchema(schema, { io: 'input' }), null, 2)}\n`;
  return new Map([
    ...policyKinds.map((kind) => [`${kind}.schema.json`, text(rulesSchemas[kind])] as const),
    ['policy.schema.json', text(documentSchema)],
  ]);
}
