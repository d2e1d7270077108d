// One call of a tool as policies see it: source, category, and the risk of the tool or of its arguments, whichever is worse. Pure; no I/O.
import { hostOf, portOf } from '../outbound/request.ts';
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
  /** Where the tenant's own server that offers the tool is reached. */
  readonly server?: { readonly scheme: 'http' | 'https'; readonly host: string; readonly port: number } | undefined;
}

export function classifyCall(
  tool: Pick<ToolDescription, 'fullName' | 'digest' | 'risk' | 'capability' | 'source' | 'category' | 'remote'>,
  args: unknown,
): ClassifiedCall {
  const { fullName: name, digest, risk, capability, source, category, remote } = tool;
  const url = remote && new URL(remote.url);
  const signs = analyseCall({ category, capability, arguments: args });
  return {
    ...{ name, digest, risk: worstRisk([risk, ...signs.map((sign) => sign.risk)]), capability, source, category, signs },
    ...(url && { server: { scheme: url.protocol === 'http:' ? 'http' : 'https', host: hostOf(url), port: portOf(url) } }),
  };
}
