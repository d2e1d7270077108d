// `signalbox migrate`: brings the database to this version, and ends. The other commands do so too when they start.
import { Command } from 'commander';
import { withHelp } from './help.ts';
import { run } from './run.ts';

export const migrateCommand = withHelp(
  new Command('migrate')
    .description('Brings the database to this version: tables, job queue, functions, and the rights of the application role.')
    .action(() =>
      run(async ({ config, logger }) => {
        const { openPostgres } = await import('./postgres.ts');
        const { applied, stop } = await openPostgres(config, logger);
        await stop();
        console.log(applied.length > 0 ? applied.map((name) => `applied ${name}`).join('\n') : 'the database is up to date');
        return undefined;
      }),
    ),
  {
    reads: ['DATABASE', 'SIGNALBOX_DATA', 'SIGNALBOX_LOG'],
    examples: [
      'signalbox migrate',
      'DATABASE_URL=postgres://owner:secret@db:5432/signalbox DATABASE_APP_URL=postgres://app:other@db:5432/signalbox signalbox migrate',
    ],
  },
);
