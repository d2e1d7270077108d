// `signalbox policies`: policies that stand as documents in a folder, checked, tried out and brought to a server.
import { Command } from 'commander';
import { withHelp } from './help.ts';
import { run } from './run.ts';

const description = [
  'Policies as documents: each `*.yaml`, `*.yml` or `*.json` of a folder is one, `<name>.cases.json` beside it holds its cases.',
  'Nothing is deleted: a policy whose document is gone stays until somebody deletes it.',
].join('\n\n');

export const policiesCommand = withHelp(
  new Command('policies')
    .summary('Checks, tests and applies policies that stand as documents in a folder.')
    .description(description)
    .addCommand(
      new Command('apply')
        .argument('<folder>', 'folder of policy documents')
        .description('Creates the policies of a folder on the server, or changes those of the same name. Checks all of them first.')
        .option('--dry-run', 'only say what would change', false)
        .action((folder: string, options: { dryRun: boolean }) =>
          run(async ({ config }) => (await import('./policies/apply.ts')).applyFolder(config.client, folder, options)),
        ),
    )
    .addCommand(
      new Command('list')
        .argument('[folder]', 'folder of policy documents; left out: those of the server')
        .description('Lists the policies of the server, or the documents of a folder.')
        .action((folder: string | undefined) =>
          run(async ({ config }) => {
            const { listFolder, listStored } = await import('./policies/list.ts');
            return folder === undefined ? listStored(config.client) : listFolder(folder);
          }),
        ),
    )
    .addCommand(
      new Command('test')
        .argument('<folder>', 'folder of policy documents')
        .description('Runs the cases of each document of a folder. Needs no server.')
        .action((folder: string) => run(async () => (await import('./policies/test.ts')).testFolder(folder))),
    ),
  {
    reads: ['SIGNALBOX_URL', 'SIGNALBOX_API_KEY'],
    examples: ['signalbox policies test policies', 'signalbox policies apply policies --dry-run', 'signalbox policies list'],
  },
);
