// Conditions as people write them: a tree of all, any and not over comparisons of one path with values. Shape and limits; what
// they mean stands in condition-compile.ts.
import { z } from 'zod';
import { knownKeys, textOf } from '../platform/problems.ts';
import { parseCidr } from './address.ts';
import { parsePath, rootsText } from './condition-path.ts';
import { patternProblem } from './pattern.ts';

/** Levels of all, any and not, the comparison included. */
export const maxConditionDepth = 10;
/** Nodes of one condition: all, any, not and comparisons. */
export const maxConditionNodes = 200;
export const maxConditionValues = 1_000;
const maxValueLength = 1_000;

export type Scalar = string | number | boolean | null;
type OneOrMore = string | readonly string[];

/** One of `all`, `any`, `not` and `path`; with `path` every operator that is there has to hold. */
export interface Condition {
  readonly all?: readonly Condition[] | undefined;
  readonly any?: readonly Condition[] | undefined;
  readonly not?: Condition | undefined;
  readonly path?: string | undefined;
  readonly equals?: Scalar | undefined;
  readonly notEquals?: Scalar | undefined;
  readonly in?: readonly Scalar[] | undefined;
  readonly notIn?: readonly Scalar[] | undefined;
  readonly prefix?: OneOrMore | undefined;
  readonly suffix?: OneOrMore | undefined;
  readonly glob?: OneOrMore | undefined;
  readonly matches?: OneOrMore | undefined;
  readonly less?: number | undefined;
  readonly lessOrEqual?: number | undefined;
  readonly greater?: number | undefined;
  readonly greaterOrEqual?: number | undefined;
  readonly cidr?: OneOrMore | undefined;
  readonly exists?: boolean | undefined;
  readonly ignoreCase?: boolean | undefined;
}

export const operators = [
  'equals',
  'notEquals',
  'in',
  'notIn',
  'prefix',
  'suffix',
  'glob',
  'matches',
  'less',
  'lessOrEqual',
  'greater',
  'greaterOrEqual',
  'cidr',
  'exists',
] as const satisfies readonly (keyof Condition)[];

const text = textOf(maxValueLength);
const scalar = z.union([text, z.number(), z.boolean(), z.null()], { error: 'must be a text, a number, true, false or null' });
const scalars = z.array(scalar).min(1, 'must hold at least one value').max(maxConditionValues);
const oneOrMore = <Item extends z.ZodType<string>>(item: Item) => z.union([item, z.array(item).min(1).max(maxConditionValues)]);
const texts = oneOrMore(text.min(1, 'must not be empty: everything begins and ends with nothing'));

const pathField = text.superRefine((value, context) => {
  const parsed = parsePath(value);
  if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.reason, input: value });
});
const regexField = z.string().superRefine((value, context) => {
  const problem = patternProblem(value);
  if (problem) context.addIssue({ code: 'custom', message: problem });
});
const cidrField = text.refine(
  (value) => parseCidr(value) !== null,
  'must be an address or a range such as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32',
);

const branch: z.ZodType<readonly Condition[]> = z.lazy(() => z.array(condition).min(1, 'must hold at least one condition'));

const condition: z.ZodType<Condition> = z
  .lazy(() =>
    knownKeys({
      all: branch.optional().meta({ description: 'Holds when each of these holds.' }),
      any: branch.optional().meta({ description: 'Holds when one of these holds.' }),
      not: condition.optional().meta({ description: 'Holds when this does not.' }),
      path: pathField
        .optional()
        .meta({ description: `What is compared: ${rootsText}. On a list an operator holds when it holds for one of the elements.` }),
      equals: scalar.optional().meta({ description: 'The same value of the same type.' }),
      notEquals: scalar.optional().meta({ description: 'The opposite of `equals`; holds also for what is not there.' }),
      in: scalars.optional().meta({ description: 'Equal to one of these.' }),
      notIn: scalars.optional().meta({ description: 'Equal to none of these; holds also for what is not there.' }),
      prefix: texts.optional().meta({ description: 'A text that begins with this, or with one of these.' }),
      suffix: texts.optional().meta({ description: 'A text that ends with this, or with one of these.' }),
      glob: texts.optional().meta({ description: 'A text of this form, or of one of these; each `*` stands for any text.' }),
      matches: oneOrMore(regexField)
        .optional()
        .meta({ description: 'A text in which this regular expression (RE2 syntax, linear time), or one of these, is found.' }),
      less: z.number().optional().meta({ description: 'A number (or a text that is one) below this.' }),
      lessOrEqual: z.number().optional().meta({ description: 'A number of at most this.' }),
      greater: z.number().optional().meta({ description: 'A number above this.' }),
      greaterOrEqual: z.number().optional().meta({ description: 'A number of at least this.' }),
      cidr: oneOrMore(cidrField).optional().meta({ description: 'A text that is an address, in any spelling, within this range.' }),
      exists: z.boolean().optional().meta({ description: 'Whether there is a value other than null.' }),
      ignoreCase: z.literal(true).optional().meta({ description: 'Texts are compared without regard to upper and lower case.' }),
    }).superRefine((node, context) => {
      const problem = formProblem(node) ?? nameProblem(node);
      if (problem) context.addIssue({ code: 'custom', message: problem });
    }),
  )
  .meta({ id: 'Condition', description: 'One of `all`, `any`, `not`, or `path` with operators, all of which have to hold.' });

function formProblem(node: Condition): string | null {
  const forms = (['all', 'any', 'not', 'path'] as const).filter((form) => node[form] !== undefined);
  if (forms.length !== 1) return `must have one of all, any, not and path, not ${forms.length === 0 ? 'none' : forms.join(' and ')}`;
  const used = operators.filter((operator) => node[operator] !== undefined);
  if (forms[0] === 'path' && used.length === 0) return `path needs an operator: one of ${operators.join(', ')}`;
  if (forms[0] !== 'path' && (used.length > 0 || node.ignoreCase))
    return `${[...used, ...(node.ignoreCase ? ['ignoreCase'] : [])].join(', ')} needs a path beside it`;
  return null;
}

/** Names of tools are ASCII: what only looks like one would make a rule that never matches. */
function nameProblem({ path, ...node }: Condition): string | null {
  if (path !== 'tool.name' && path !== 'tool.server') return null;
  const { equals, notEquals, in: among, notIn, prefix, suffix, glob } = node;
  const names = [equals, notEquals, among, notIn, prefix, suffix, glob].flat();
  const strange = names.find((name) => typeof name === 'string' && !/^[\x21-\x7e]*$/.test(name));
  return strange === undefined
    ? null
    : `${JSON.stringify(strange)} is in no name of a tool: these hold only visible ASCII characters, no spaces`;
}

/** Looked at before anything else walks the tree, without recursion: a deep one must not exhaust the stack. */
function sizeProblem(root: unknown): string | null {
  let nodes = 0;
  let level: unknown[] = [root];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > maxConditionDepth) return `must not be nested deeper than ${maxConditionDepth} levels`;
    nodes += level.length;
    if (nodes > maxConditionNodes) return `must not hold more than ${maxConditionNodes} conditions`;
    level = level.flatMap((node) => {
      if (typeof node !== 'object' || node === null) return [];
      const { all, any, not } = node as Record<string, unknown>;
      return [...(Array.isArray(all) ? all : []), ...(Array.isArray(any) ? any : []), ...(not === undefined ? [] : [not])];
    });
  }
  return null;
}

export const whenField = z
  .preprocess((value, context) => {
    const problem = sizeProblem(value);
    if (problem === null) return value;
    context.issues.push({ code: 'custom', message: problem, input: value });
    return z.NEVER;
  }, condition)
  .optional()
  .meta({ description: 'What has to hold besides; left out: nothing.' });
