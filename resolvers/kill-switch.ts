// Kill switches: engage, release, list.
import { InvalidStateError } from '#src/platform/errors.ts';
import { builder } from '#schema/builder.ts';
import { connectionOf, paged } from '#schema/connection.ts';
import {
  EngageKillSwitchInput,
  KillSwitch,
  KillSwitchConnection,
  KillSwitchFilter,
  ReleaseKillSwitchInput,
  switchOf,
} from '#schema/kill-switch.ts';
import { mutation } from '#schema/mutation.ts';

builder.queryField('killSwitches', (t) =>
  t.field({
    type: KillSwitchConnection,
    description: 'Kill switches that you may see, newest first; those on the whole tenant are seen by everybody who may see any.',
    authScopes: { permission: 'killswitch.read' },
    ...paged({ filter: t.arg({ type: KillSwitchFilter, description: 'Only these.' }) }),
    resolve: (_root, { filter, ...page }, { services, authority, read }) =>
      connectionOf(
        'killSwitches',
        read((uow) => services.killSwitches.listKillSwitches(uow, authority, filter ?? {}, page)),
      ),
  }),
);

mutation('engageKillSwitch', {
  description:
    'Stops effects in a moment: once it answers, none that it covers begins, in any process; those that run are aborted. Executions keep their state.',
  permission: 'killswitch.manage',
  input: EngageKillSwitchInput,
  returns: {
    killSwitch: { type: KillSwitch, description: 'The switch; the one that is engaged on exactly this already, if there is one.' },
  },
  resolve: async (services, uow, actor, input) => ({
    killSwitch: await services.killSwitches.engageKillSwitch(uow, actor, switchOf(input)),
  }),
});

mutation('releaseKillSwitch', {
  description: 'Ends a kill switch. What it had stopped goes on where it was, unless another switch covers it.',
  permission: 'killswitch.manage',
  input: ReleaseKillSwitchInput,
  returns: { killSwitch: { type: KillSwitch, description: 'The released switch.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ killSwitch: await services.killSwitches.releaseKillSwitch(uow, actor, input) }),
});
