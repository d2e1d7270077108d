// `signalbox policies list`: the policies of the server, or the documents of a folder, one line each.
import type { SignalboxClient } from '#client/index.ts';
import type { Config } from '#src/config.ts';
import { readDocuments, type PolicyFile } from './documents.ts';
import { withServer } from './server.ts';

type Policy = Awaited<ReturnType<SignalboxClient['policies']>>['edges'][number]['node'];

export async function listStored(server: Config['client']): Promise<undefined> {
  await withServer(server, async (client) => {
    const policies: Policy[] = [];
    for (let after: string | null = null; ;) {
      const page: Awaited<ReturnType<SignalboxClient['policies']>> = await client.policies({ first: 100, after });
      policies.push(...page.edges.map(({ node }) => node));
      if (!page.pageInfo.hasNextPage) break;
      after = page.pageInfo.endCursor;
    }
    print(['NAME', 'KIND', 'MODE', 'PRIORITY', 'VERSION', 'WHERE'], policies.sort(byPriority).map(cellsOf));
  });
}

/** Needs no server. */
export async function listFolder(folder: string): Promise<undefined> {
  const files = await readDocuments(folder);
  const rows = files
    .toSorted((a, b) => byPriority(a.document, b.document))
    .map(({ path, document: { name, kind, mode, enabled = true, priority, scope, attachments, rollout } }) => {
      const parts = Object.entries(scope).map(([what, value]) => `${what} ${value}`);
      return [...common({ name, kind, mode, enabled, priority, rollout }), whereText(parts.join(', ') || 'tenant', attachments), path];
    });
  print(['NAME', 'KIND', 'MODE', 'PRIORITY', 'WHERE', 'FILE'], rows);
}

interface Ordered {
  readonly name: string;
  readonly priority: number;
}
const byPriority = (a: Ordered, b: Ordered): number => a.priority - b.priority || (a.name < b.name ? -1 : 1);

function print(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const table = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  for (const row of table) {
    const padded = row.map((cell, column) => cell.padEnd(widths[column]!));
    console.log(padded.join('  ').trimEnd());
  }
}

type Common = Pick<PolicyFile['document'], 'name' | 'priority'> & {
  readonly kind: string;
  readonly mode: string;
  readonly enabled: boolean;
  readonly rollout?: { readonly percent: number } | null | undefined;
};

function common({ name, kind, mode, enabled, priority, rollout }: Common): string[] {
  const share = rollout ? ` ${rollout.percent} %` : '';
  return [name, kind.toLowerCase(), enabled ? `${mode.toLowerCase()}${share}` : 'off', String(priority)];
}

const whereText = (where: string, attachments: readonly unknown[]): string =>
  attachments.length > 0 ? `${where} and ${attachments.length} more` : where;

const cellsOf = (policy: Policy): string[] => [
  ...common(policy),
  String(policy.version),
  whereText(placeOf(policy.scope), policy.attachments),
];

function placeOf({ project, environment, agent, team, tag, tool, isWholeTenant }: Policy['scope']): string {
  if (isWholeTenant) return 'tenant';
  const parts = Object.entries({ project: project?.name, environment: environment?.name, agent: agent?.name, team: team?.name, tag, tool });
  return parts.flatMap(([what, name]) => (name == null ? [] : `${what} ${name}`)).join(', ') || 'not visible to you';
}
