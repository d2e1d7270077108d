// Simulations of policies: ask, read, watch, cancel.
import { ConflictError, IdempotencyConflictError, InvalidStateError, LimitExceededError } from '#src/platform/errors.ts';
import { builder } from '#schema/builder.ts';
import { connectionOf, paged } from '#schema/connection.ts';
import { globalId } from '#schema/ids.ts';
import { mutation } from '#schema/mutation.ts';
import {
  CancelSimulationInput,
  PolicySimulation,
  PolicySimulationConnection,
  SimulatePoliciesInput,
  SimulationUpdate,
} from '#schema/simulation.ts';
import { subscription } from '#schema/subscription.ts';

builder.queryField('policySimulation', (t) =>
  t.field({
    type: PolicySimulation,
    nullable: true,
    description: 'The simulation with this id, if you asked for it or may read all policies and decisions; else null.',
    authScopes: { permission: 'policy.read' },
    args: { id: t.arg.id({ required: true, description: 'Its id.' }).validate(globalId('PolicySimulation')) },
    resolve: (_root, { id }) => id,
  }),
);

builder.queryField('policySimulations', (t) =>
  t.field({
    type: PolicySimulationConnection,
    description: 'Simulations that you asked for, newest first; all of them when you may read all policies and decisions.',
    authScopes: { permission: 'policy.read' },
    ...paged(),
    resolve: (_root, page, { services, authority, read }) =>
      connectionOf(
        'simulations',
        read((uow) => services.simulations.listSimulations(uow, authority, page)),
      ),
  }),
);

mutation('simulatePolicies', {
  description:
    'Tries policies on the recorded decisions of a period that you may read, in the background. Nothing is changed; a period without decisions is refused.',
  permission: 'policy.manage',
  input: SimulatePoliciesInput,
  returns: { simulation: { type: PolicySimulation, description: 'The simulation, which has just been accepted.' } },
  fails: [ConflictError, IdempotencyConflictError, LimitExceededError],
  resolve: async (services, uow, actor, input) => ({ simulation: await services.simulations.simulatePolicies(uow, actor, input) }),
});

mutation('cancelSimulation', {
  description: 'Ends a simulation that is queued or running; what it has found so far stays.',
  permission: 'policy.manage',
  input: CancelSimulationInput,
  returns: { simulation: { type: PolicySimulation, description: 'The cancelled simulation.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, { simulationId }) => ({
    simulation: await services.simulations.cancelSimulation(uow, actor, simulationId),
  }),
});

subscription('simulationProgress', {
  description: 'A simulation as it is now, then each time it has got further. Ends when it is over.',
  type: SimulationUpdate,
  permission: 'policy.read',
  args: (t) => ({
    simulationId: t.id({ required: true, description: 'The simulation.' }).validate(globalId('PolicySimulation')),
  }),
  permitted: (services, uow, actor, { simulationId }) => services.simulations.getSimulation(uow, actor, simulationId),
  source: (context, { simulationId }) => context.services.simulations.progress(context, simulationId),
});
