// From a stored policy to its judge: one entry per kind. What each kind says stands in its own file.
import { contentJudge } from './content-judge.ts';
import { dataScope } from './data-judge.ts';
import { destinationJudge } from './destination-judge.ts';
import type { Judge, PolicySource } from './judge.ts';
import type { PolicyKind } from './policy.ts';
import { rateLimit } from './rate-judge.ts';
import { parseRules, type RulesOf } from './rules.ts';
import { timeWindow } from './time-judge.ts';
import { approvalRequired, toolAccess } from './tool-judges.ts';

export type { PolicySource } from './judge.ts';

type Compile<Kind extends PolicyKind> = (source: PolicySource, rules: RulesOf[Kind]) => Judge;

const compilers: { readonly [Kind in PolicyKind]: Compile<Kind> } = {
  tool_access: toolAccess,
  approval_required: approvalRequired,
  rate_limit: rateLimit,
  time_window: timeWindow,
  destination: destinationJudge,
  data_scope: dataScope,
  content: contentJudge,
};

/** Rules that cannot be read (written by another release) become a judge that throws: the gate then fails closed. */
export function compileRules(source: PolicySource): Judge {
  if (!Object.hasOwn(compilers, source.kind)) return unreadable(`kind: "${source.kind}" is not known to this release`);
  return compileKind(source.kind, source);
}

/** Generic so that kind, rules and compiler are known to fit together. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
function compileKind<Kind extends PolicyKind>(kind: Kind, source: PolicySource): Judge {
  const parsed = parseRules(kind, source.rules);
  if (!parsed.ok)
    return unreadable(parsed.problems.slice(0, 1).map(({ path, message }) => `${path}: ${message}`)[0] ?? 'its rules cannot be read');
  const compile: Compile<Kind> = compilers[kind];
  return compile(source, parsed.rules);
}

function unreadable(message: string): Judge {
  return () => {
    throw new Error(message);
  };
}
