// Puts the demo's agent in place through the API, step by step, each only if it is missing: it may be run again after any crash,
// and by two demos at once.
import { readFile } from 'node:fs/promises';
import { SignalboxClientError, type SignalboxClient } from '#client/index.ts';

export interface DemoAgent {
  readonly agentId: string;
  readonly environmentId: string;
}

const definitionFile = new URL('./log-triage.yaml', import.meta.url);

export async function ensureAgent(client: SignalboxClient, say: (line: string) => void): Promise<DemoAgent> {
  const definition = await readFile(definitionFile, 'utf8');
  const version = /^ {2}version: (\S+)$/m.exec(definition)![1]!;
  const projectId = await findOrCreate(
    async () => (await client.projects({ name: 'demo' })).edges[0]?.node.id,
    async () => (await client.createProject({ input: { name: 'demo' } })).project.id,
  );
  const environmentId = await findOrCreate(
    async () => (await client.environments({ projectId, name: 'dev' })).edges[0]?.node.id,
    async () => (await client.createEnvironment({ input: { projectId, name: 'dev', kind: 'DEVELOPMENT' } })).environment.id,
  );
  const agentId = await findOrCreate(
    async () => (await client.agents({ filter: { projectId, name: 'log-triage' } })).edges[0]?.node.id,
    async () => (await client.createAgent({ input: { projectId, name: 'log-triage' } })).agent.id,
  );
  try {
    await client.publishAgentVersion({ input: { agentId, definition } });
    say(`published log-triage ${version}`);
  } catch (error) {
    if (!isConflict(error)) throw error; // published by an earlier run
  }
  await client.promoteAgentVersion({ input: { agentId, environmentId, version } });
  await client.activateAgent({ input: { agentId } });
  return { agentId, environmentId };
}

async function findOrCreate(find: () => Promise<string | undefined>, create: () => Promise<string>): Promise<string> {
  const found = await find();
  if (found !== undefined) return found;
  try {
    return await create();
  } catch (error) {
    const made = isConflict(error) ? await find() : undefined; // by another demo, meanwhile
    if (made === undefined) throw error;
    return made;
  }
}

const isConflict = (error: unknown): boolean => error instanceof SignalboxClientError && error.code === 'CONFLICT';
