// Rules of `data_scope`: which data an effect touches. What they mean stands in data-judge.ts.
import { z } from 'zod';
import { knownKeys, textOf } from '../platform/problems.ts';
import { parsePath } from './condition-path.ts';
import { dataKinds, dataReferencePattern } from './data-scope.ts';
import { hostList } from './destination-rules.ts';
import { actionList, matchFields, messageField, ruleList, toolList } from './rule-fields.ts';

const touchedForm = `must be a reference such as dataset:orders, or { kind, from }: ${dataKinds.join(', ')} and a path such as arguments.table`;
const touched = z.union(
  [
    z.string().regex(dataReferencePattern, touchedForm),
    knownKeys({
      kind: z.enum(dataKinds),
      from: textOf(1_000).superRefine((value, context) => {
        const parsed = parsePath(value);
        if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.reason, input: value });
      }),
    }),
  ],
  { error: touchedForm },
);

const dataRule = knownKeys({
  data: touched.meta({
    description: 'What the effect touches: a fixed reference, or the kind and the path of the name (or list of names) in the effect.',
  }),
  actions: actionList(['tool.call', 'http.request'] as const, 'both'),
  tools: toolList,
  destinations: hostList,
  ...matchFields,
  message: messageField,
});
export type DataRule = z.output<typeof dataRule>;

export const dataScopeRules = ruleList(
  dataRule,
  'Which data effects touch. Every rule that matches an effect names something; the effect is refused unless the agent declares all of it in `spec.data`, or was granted it.',
);
