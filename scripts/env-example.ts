// The text of `.env.example`, printed from the settings that src/config-schema.ts declares.
import { variables } from '#src/config-schema.ts';

const head = `# What Signalbox reads from its environment; every line shows the default, an empty value counts as unset.
# A YAML file can hold the same settings by their path (shown in brackets); a variable here wins over it.

# YAML file with settings. Only it can hold several OIDC issuers (oidc) and tool servers (toolServers), for example
#   toolServers:
#     files: { command: npx, args: ['@modelcontextprotocol/server-filesystem', /srv/logs] }
SIGNALBOX_CONFIG=
`;

export function envExample(): string {
  const sections = Map.groupBy(variables, ({ path }) => (path.length > 1 ? path[0] : ''));
  return [
    head,
    ...[...sections.values()].map((section) =>
      section
        .map(({ env, path, description, defaultText = '' }) => `# ${description} [${settingPath(path)}]\n${env}=${defaultText}\n`)
        .join(''),
    ),
  ].join('\n');
}

const settingPath = (path: readonly string[]) => path.join('.').replaceAll('.*', '[]');
