// `signalbox policies apply`: the documents of a folder become policies of the server. All are checked before the first is written;
// each is written only if the policy is still at the version that was looked at.
import type { SignalboxClient } from '#client/index.ts';
import type { Config } from '#src/config.ts';
import { problemText, readDocuments, refuse, type PolicyFile } from './documents.ts';
import { withServer } from './server.ts';

type Validation = Awaited<ReturnType<SignalboxClient['validatePolicy']>>;

interface Planned {
  readonly file: PolicyFile;
  readonly plan: Validation;
}

export async function applyFolder(server: Config['client'], folder: string, { dryRun }: { readonly dryRun: boolean }): Promise<undefined> {
  const files = await readDocuments(folder);
  await withServer(server, async (client) => {
    const planned: Planned[] = [];
    for (const file of files) planned.push({ file, plan: await client.validatePolicy({ document: file.text }) });
    refuse(planned.flatMap(({ file, plan }) => plan.problems.map((problem) => problemText(file.path, problem))));
    for (const each of planned) console.log(dryRun ? sentence(each, 'would be ') : await applied(client, each));
  });
}

async function applied(client: SignalboxClient, planned: Planned): Promise<string> {
  const { file, plan } = planned;
  const input = { document: file.text, expectedVersion: plan.current?.version ?? 0 };
  const { policy } = await client.applyPolicy({ input });
  return `${sentence(planned, '')} (version ${policy.version})`;
}

function sentence({ file: { document }, plan }: Planned, would: string): string {
  if (!plan.current) return `${document.name}: ${would}created`;
  if (plan.changes.length === 0) return `${document.name}: unchanged`;
  return `${document.name}: ${would}changed: ${plan.changes.map((field) => change(plan, field)).join(', ')}`;
}

const shown = ['mode', 'priority', 'enabled', 'onError'] as const;

/** Short values before and after; of the others the name alone. */
function change({ current, policy }: Validation, name: string): string {
  const field = shown.find((each) => each === name);
  return field && current && policy ? `${field} ${text(current[field])} → ${text(policy[field])}` : name;
}

const text = (value: string | number | boolean): string => String(value).toLowerCase();
