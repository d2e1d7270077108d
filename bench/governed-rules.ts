// The rules that Signalbox and its peers judge by, and the calls they judge: half of the policies look at the tool alone, half at an
// argument, too. Nothing else is in here, so that programs of bench/peers can import it.

/** Refuses calls of `tool`; with `above` only those whose amount is greater. */
export interface GovernedRule {
  readonly tool: string;
  readonly above: number | null;
}

export interface GovernedCall {
  readonly tool: string;
  readonly amount: number;
}

export const governedRules = (count: number): GovernedRule[] =>
  Array.from({ length: count }, (_, n) => ({ tool: `server${n}.pay`, above: n % 2 === 0 ? null : 1_000 + n }));

/** 500 different calls; of every ten, one is refused by a rule, and one would be if its amount were greater. */
export const governedCalls: readonly GovernedCall[] = Array.from({ length: 500 }, (_, n) => ({
  tool: n % 10 < 2 ? `server${(n % 20) + 1}.pay` : `files.tool_${n % 50}`,
  amount: n % 10 === 0 ? 5_000 + n : n,
}));

export const isRefused = (rules: readonly GovernedRule[], { tool, amount }: GovernedCall): boolean =>
  rules.some((rule) => rule.tool === tool && (rule.above === null || amount > rule.above));

/** Microseconds of each decision. Every answer is checked once, before anything counts: a wrong one is no decision. */
export function timed(decide: (call: GovernedCall) => boolean, rules: readonly GovernedRule[], calls: number): number[] {
  for (const call of governedCalls) {
    if (decide(call) !== isRefused(rules, call)) throw new Error(`${call.tool} with ${call.amount} was judged wrongly`);
  }
  for (let n = 0; n < calls / 4; n += 1) decide(governedCalls[n % governedCalls.length]!);
  return Array.from({ length: calls }, (_, n) => {
    const startedAt = performance.now();
    decide(governedCalls[n % governedCalls.length]!);
    return (performance.now() - startedAt) * 1_000;
  });
}
