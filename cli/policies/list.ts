// `signalbox policies list`: the policies of the server, one line each.
import type { SignalboxClient } from '#client/index.ts';
import type { Config } from '#src/config.ts';
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
    const rows = policies.sort((a, b) => a.priority - b.priority || (a.name < b.name ? -1 : 1)).map(cellsOf);
    const table = [['NAME', 'KIND', 'MODE', 'PRIORITY', 'VERSION', 'WHERE'], ...rows];
    const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
    for (const row of table)
      console.log(
        row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd(),
      );
  });
}

function cellsOf({ name, kind, mode, enabled, priority, version, scope, attachments, rollout }: Policy): string[] {
  const share = rollout ? ` ${rollout.percent} %` : '';
  const more = attachments.length > 0 ? ` and ${attachments.length} more` : '';
  const state = enabled ? `${mode.toLowerCase()}${share}` : 'off';
  return [name, kind.toLowerCase(), state, String(priority), String(version), `${placeOf(scope)}${more}`];
}

function placeOf({ project, environment, agent, team, tag, tool, isWholeTenant }: Policy['scope']): string {
  if (isWholeTenant) return 'tenant';
  const parts = Object.entries({ project: project?.name, environment: environment?.name, agent: agent?.name, team: team?.name, tag, tool });
  return parts.flatMap(([what, name]) => (name == null ? [] : `${what} ${name}`)).join(', ') || 'not visible to you';
}
