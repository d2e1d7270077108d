// One call of a tool as policies see it: source, category, and the risk of the tool or of its arguments, whichever is worse. Pure; no I/O.
import { analyseCall } from './analysis.ts';
import {
  worstRisk,
  type Capability,
  type RiskClass,
  type RiskSign,
  type ToolCategory,
  type ToolDescription,
  type ToolSource,
} from './tool.ts';

export interface ClassifiedCall {
  readonly name: string;
  readonly digest: string;
  readonly risk: RiskClass;
  readonly capability: Capability;
  readonly source: ToolSource;
  readonly category: ToolCategory;
  readonly signs: readonly RiskSign[];
}

export function classifyCall(
  tool: Pick<ToolDescription, 'fullName' | 'digest' | 'risk' | 'capability' | 'source' | 'category'>,
  args: unknown,
): ClassifiedCall {
  const { fullName: name, digest, risk, capability, source, category } = tool;
  const signs = analyseCall({ category, capability, arguments: args });
  return { name, digest, risk: worstRisk([risk, ...signs.map((sign) => sign.risk)]), capability, source, category, signs };
}
