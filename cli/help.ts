// The end of `--help`: the environment variables that a command reads, and examples.
import type { Command } from 'commander';
import { variables } from '#src/config-schema.ts';

export interface Help {
  readonly examples: readonly string[];
  /** Beginnings of the variables' names; all of them when left out. */
  readonly reads?: readonly string[];
}

export function withHelp(command: Command, { examples, reads = [''] }: Help): Command {
  const read = variables.filter(({ env }) => reads.some((beginning) => env.startsWith(beginning)));
  const names = [
    { env: 'SIGNALBOX_CONFIG', description: 'YAML file with the same settings, issuers and tool servers.', defaultText: undefined },
    ...read,
  ];
  const width = Math.max(...names.map(({ env }) => env.length));
  const lines = names.map(({ env, description, defaultText }) => {
    return `  ${env.padEnd(width)}  ${description}${defaultText === undefined ? '' : ` (${defaultText})`}`;
  });
  const sections = [`Environment:`, ...lines, '', 'Examples:', ...examples.map((example) => `  $ ${example}`)];
  return command.addHelpText('after', `\n${sections.join('\n')}`);
}
