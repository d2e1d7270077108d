// Kill switches, and which one halts a step. Adds its own field to Slot.
import type { KillSwitchRow } from '#src/killswitches/kill-switch-reads.ts';
import { killSwitchScopes, type KillSwitchScope } from '#src/killswitches/kill-switch.ts';
import { NotFoundError } from '#src/platform/errors.ts';
import { Agent } from './agent.ts';
import { builder } from './builder.ts';
import { connectionType } from './connection.ts';
import { enumOf } from './enum.ts';
import { Slot } from './execution.ts';
import { globalId, globalIdOfAny } from './ids.ts';
import { nodeType } from './node.ts';
import { Principal } from './principal.ts';
import { Environment, Project } from './tenant.ts';

export const KillSwitchScopeEnum = enumOf('KillSwitchScope', killSwitchScopes, 'What a kill switch stops.', {
  tenant: 'Everything.',
  project: 'Everything in a project.',
  environment: 'Everything in an environment.',
  agent: 'Everything one agent does.',
  tool: 'Calls of the tools that a pattern names.',
  destination:
    'What goes to the hosts that a pattern names: requests, redirects, network tools that are given their URLs, tool servers there.',
});

const scopeOf = (scope: KillSwitchScope) => (row: KillSwitchRow) => (row.scope === scope ? row.scopeId : null);

export const KillSwitch = nodeType<KillSwitchRow>('KillSwitch', (services, uow, actor, ids) =>
  services.killSwitches.killSwitchesByIds(uow, actor, ids),
);
export const KillSwitchConnection = connectionType(KillSwitch);
KillSwitch.implement({
  description:
    'Stops effects: while it is engaged, none that it covers begins, and those that ran were aborted. What was stopped goes on after the release.',
  fields: (t) => ({
    scope: t.expose('scope', { type: KillSwitchScopeEnum, description: 'What it stops.' }),
    project: t.field({ type: Project, nullable: true, description: 'The project, when it is on one.', resolve: scopeOf('project') }),
    environment: t.field({
      type: Environment,
      nullable: true,
      description: 'The environment, when it is on one.',
      resolve: scopeOf('environment'),
    }),
    agent: t.field({
      type: Agent,
      nullable: true,
      description: 'The agent, when it is on one and you may see it.',
      resolve: scopeOf('agent'),
    }),
    pattern: t.exposeString('pattern', {
      nullable: true,
      description: 'Names of tools or hosts, when it is on these; `*` stands for any text.',
    }),
    isEngaged: t.boolean({ description: 'False once it was released.', resolve: (row) => row.releasedAt === null }),
    reason: t.exposeString('reason', { description: 'Why it was engaged.' }),
    engagedBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who engaged it; null when you may not see the person.',
      resolve: (row) => row.engagedBy,
    }),
    engagedAt: t.expose('engagedAt', { type: 'DateTime', description: 'When it was engaged.' }),
    releaseReason: t.exposeString('releaseReason', { nullable: true, description: 'What was said at the release; null before.' }),
    releasedBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who released it; null before, and when you may not see the person.',
      resolve: (row) => row.releasedBy,
    }),
    releasedAt: t.expose('releasedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was released; null while it is engaged.',
    }),
  }),
});

builder.interfaceField(Slot, 'haltedBy', (t) =>
  t.field({
    type: KillSwitch,
    nullable: true,
    description: 'The kill switch that keeps it from going on; null when none does, and when you may not see it.',
    resolve: (row) => row.haltedBy,
  }),
);

export const KillSwitchFilter = builder.inputType('KillSwitchFilter', {
  description: 'Conditions that a kill switch must all satisfy.',
  fields: (t) => ({
    engaged: t.boolean({ description: 'True: in force. False: released.' }),
    scope: t.field({ type: KillSwitchScopeEnum, description: 'Of this scope.' }),
  }),
});

export const EngageKillSwitchInput = builder.inputType('EngageKillSwitchInput', {
  description: 'What to stop, and why.',
  fields: (t) => ({
    scope: t.field({ type: KillSwitchScopeEnum, required: true, description: 'What to stop.' }),
    scopeId: t
      .id({ description: 'The project, environment or agent; with no other scope.' })
      .validate(globalIdOfAny('Project', 'Environment', 'Agent')),
    pattern: t.string({
      description:
        'With the scope TOOL: `files.write_file` or `files.*`; `http.request` is what http steps call. With DESTINATION: `api.example.com`, `*.example.com`, `10.0.0.7:8080`.',
    }),
    reason: t.string({ required: true, description: 'Shown to everyone whose work stops; at most 1,000 characters.' }),
  }),
});

const scopeOfType: Readonly<Record<string, KillSwitchScope>> = { Project: 'project', Environment: 'environment', Agent: 'agent' };

/** What the service asks for instead of a typed global id. */
export function switchOf({ scope, scopeId, ...rest }: typeof EngageKillSwitchInput.$inferInput) {
  const expected = Object.entries(scopeOfType).find(([, each]) => each === scope)?.[0];
  if (scopeId && expected !== undefined && scopeId.typename !== expected) {
    throw new NotFoundError(
      `scopeId: this is the id of a ${scopeId.typename}; the scope ${scope.toUpperCase()} needs that of a ${expected}`,
    );
  }
  return { ...rest, scope, scopeId: scopeId?.id };
}

export const ReleaseKillSwitchInput = builder.inputType('ReleaseKillSwitchInput', {
  description: 'Which switch to release.',
  fields: (t) => ({
    killSwitchId: t.id({ required: true, description: 'The kill switch.' }).validate(globalId('KillSwitch')),
    reason: t.string({ description: 'Kept with it; at most 1,000 characters.' }),
  }),
});
