#!/usr/bin/env node
// The command line: one command per file, listed here.
import { Command } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { demoCommand } from './demo.ts';
import { gatewayCommand } from './gateway.ts';
import { migrateCommand } from './migrate.ts';
import { policiesCommand } from './policies.ts';
import { startCommand } from './start.ts';
import { workerCommand } from './worker.ts';

await new Command('signalbox')
  .description(manifest.description)
  .version(manifest.version)
  .addHelpText('after', '\nSettings are environment variables or a YAML file: see `signalbox start --help` and .env.example.')
  .addCommand(startCommand)
  .addCommand(gatewayCommand)
  .addCommand(workerCommand)
  .addCommand(migrateCommand)
  .addCommand(policiesCommand)
  .addCommand(demoCommand)
  .showHelpAfterError()
  .parseAsync();
