// Grants of data between agents: list, grant, revoke.
import { InvalidStateError, LimitExceededError } from '#src/platform/errors.ts';
import { builder } from '#schema/builder.ts';
import { connectionOf, paged } from '#schema/connection.ts';
import { DataGrant, DataGrantConnection, DataGrantFilter, GrantDataInput, RevokeDataGrantInput } from '#schema/data-grant.ts';
import { mutation } from '#schema/mutation.ts';

builder.queryField('dataGrants', (t) =>
  t.field({
    type: DataGrantConnection,
    description: 'Grants of data of or to agents that you may read, newest first.',
    authScopes: { permission: 'agent.read' },
    ...paged({ filter: t.arg({ type: DataGrantFilter, description: 'Only these.' }) }),
    resolve: (_root, { filter, ...page }, { services, authority, read }) =>
      connectionOf(
        'dataGrants',
        read((uow) => services.data.listDataGrants(uow, authority, filter ?? {}, page)),
      ),
  }),
);

mutation('grantData', {
  description: 'Lets an agent touch data that another one declares. Every dispatch that begins after this answer knows it.',
  permission: 'agent.manage',
  input: GrantDataInput,
  returns: { dataGrant: { type: DataGrant, description: 'The grant; the one in force already, if there is one.' } },
  fails: [InvalidStateError, LimitExceededError],
  resolve: async (services, uow, actor, input) => ({ dataGrant: await services.data.grantData(uow, actor, input) }),
});

mutation('revokeDataGrant', {
  description: 'Ends a grant of data. No dispatch that begins after this answer relies on it.',
  permission: 'agent.manage',
  input: RevokeDataGrantInput,
  returns: { dataGrant: { type: DataGrant, description: 'The revoked grant.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ dataGrant: await services.data.revokeDataGrant(uow, actor, input) }),
});
