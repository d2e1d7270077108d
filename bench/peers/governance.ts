// Two policy engines as contenders, on the rules that Signalbox is measured with: Microsoft's agent governance SDK and Cedar.
// The packages are installed by the benchmark's first run only, so their types are named here as far as they are used.
import { governedRules, timed, type GovernedCall, type GovernedRule } from '../governed-rules.ts';
import { serveContender } from '../protocol.ts';

export interface GovernanceQuestion {
  readonly policies: number;
  readonly calls: number;
}

interface AgentGovernance {
  readonly PolicyEngine: new () => {
    loadPolicy(policy: object): void;
    evaluatePolicy(agent: string, context: object): { readonly allowed: boolean };
  };
}
interface Cedar {
  preparsePolicySet(id: string, policies: { readonly staticPolicies: string }): { readonly type: string };
  statefulIsAuthorized(call: object): { readonly type: string; readonly response?: { readonly decision: string } };
}

const agentGovernanceName: string = '@microsoft/agent-governance-sdk';
const cedarName: string = '@cedar-policy/cedar-wasm/nodejs';

async function agentGovernance(rules: readonly GovernedRule[]): Promise<(call: GovernedCall) => boolean> {
  const { PolicyEngine } = (await import(agentGovernanceName)) as AgentGovernance;
  const engine = new PolicyEngine();
  for (const [n, { tool, above }] of rules.entries()) {
    const condition = above === null ? `tool == '${tool}'` : `tool == '${tool}' and arguments.amount > ${above}`;
    engine.loadPolicy({
      name: `policy-${n}`,
      scope: 'global',
      default_action: 'allow',
      rules: [{ name: `rule-${n}`, condition, ruleAction: 'deny', priority: 100 }],
    });
  }
  return ({ tool, amount }) => !engine.evaluatePolicy('agent', { tool, arguments: { amount } }).allowed;
}

async function cedar(rules: readonly GovernedRule[]): Promise<(call: GovernedCall) => boolean> {
  const { preparsePolicySet, statefulIsAuthorized } = (await import(cedarName)) as Cedar;
  const texts = rules.map(({ tool, above }) => {
    const condition = `context.tool == "${tool}"${above === null ? '' : ` && context.amount > ${above}`}`;
    return `forbid(principal, action, resource) when { ${condition} };`;
  });
  const parsed = preparsePolicySet('rules', { staticPolicies: ['permit(principal, action, resource);', ...texts].join('\n') });
  if (parsed.type !== 'success') throw new Error(`Cedar refused the rules: ${JSON.stringify(parsed)}`);
  const uid = (type: string, id: string) => ({ type, id });
  return ({ tool, amount }) => {
    const answer = statefulIsAuthorized({
      principal: uid('Agent', 'agent'),
      action: uid('Action', 'call'),
      resource: uid('Tool', tool),
      context: { tool, amount },
      preparsedPolicySetId: 'rules',
      entities: [],
    });
    if (!answer.response) throw new Error(`Cedar gave no answer: ${JSON.stringify(answer)}`);
    return answer.response.decision === 'deny';
  };
}

const engines: Record<string, typeof cedar> = { agentGovernance, cedar };

serveContender(async (_setup: object) => ({
  begin: () => Promise.reject(new Error('this contender answers questions only')),
  async ask(engine: string, input: unknown) {
    const { policies, calls } = input as GovernanceQuestion;
    const rules = governedRules(policies);
    return timed(await engines[engine]!(rules), rules, calls);
  },
  close: () => Promise.resolve(),
}));
