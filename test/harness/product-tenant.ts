// A small tenant set up through the published client, as its users would: a project with an environment, people, and agents.
import { stringify } from 'yaml';
import { createSignalboxClient, type SignalboxClient, type SignalboxClientOptions } from '#client/index.ts';
import { parseGlobalId } from '#schema/ids.ts';

export interface ProductTenant {
  readonly admin: SignalboxClient;
  readonly environmentId: string;
  /** Another client with this key; closed with the tenant. */
  client(apiKey: string, options?: Partial<SignalboxClientOptions>): SignalboxClient;
  /** Somebody new with this role on the project; resolves to the key. */
  person(name: string, role: 'OPERATOR' | 'REVIEWER'): Promise<string>;
  /** An agent with these steps, live in the environment; resolves to its id. `more` is added to `spec`. */
  agent(name: string, steps: readonly object[], more?: object): Promise<string>;
  close(): Promise<void>;
}

export const keyOf = (globalId: string): string => parseGlobalId(globalId)!.id;

export async function setUpTenant(url: string, adminKey: string): Promise<ProductTenant> {
  const clients: SignalboxClient[] = [];
  const client: ProductTenant['client'] = (apiKey, options) => {
    const made = createSignalboxClient({ url, apiKey, timeoutMs: 10_000, ...options });
    clients.push(made);
    return made;
  };
  const admin = client(adminKey);
  const { project } = await admin.createProject({ input: { name: 'faults' } });
  const { environment } = await admin.createEnvironment({ input: { projectId: project.id, name: 'dev', kind: 'DEVELOPMENT' } });
  return {
    admin,
    environmentId: environment.id,
    client,
    async person(name, role) {
      const { principal } = await admin.createPrincipal({ input: { kind: 'USER', name } });
      await admin.grantRole({ input: { granteeId: principal.id, role, scopeId: project.id } });
      return (await admin.createApiKey({ input: { principalId: principal.id, name, roles: [role] } })).token;
    },
    async agent(name, steps, more = {}) {
      const { agent } = await admin.createAgent({ input: { projectId: project.id, name } });
      const definition = stringify({
        apiVersion: 'signalbox/v1',
        kind: 'Agent',
        metadata: { name, project: 'faults' },
        spec: {
          version: '1.0.0',
          owner: 'ops@example.com',
          capabilities: { read: true, write: true },
          inputs: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
          steps,
          ...more,
        },
      });
      await admin.publishAgentVersion({ input: { agentId: agent.id, definition } });
      await admin.activateAgent({ input: { agentId: agent.id } });
      await admin.promoteAgentVersion({ input: { agentId: agent.id, environmentId: environment.id, version: '1.0.0' } });
      return agent.id;
    },
    async close() {
      for (const each of clients) await each.close();
    },
  };
}
