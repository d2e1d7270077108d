// Rows for the nested read, a key to read them with, and what Signalbox sends to do so, which peers are given.
import { execute, parse } from 'graphql';
import { openOperation } from '#gateway/operation.ts';
import { schema } from '#gateway/schema.ts';
import { systemClock as clock } from '#src/platform/clock.ts';
import { cursorOf } from '#src/platform/page.ts';
import { createAuthenticator } from '#src/principals/authenticate.ts';
import { loadAuthority } from '#src/principals/authority-reads.ts';
import { recording } from '../reads/touched.ts';
import { generateWorld, homeOf } from '../reads/world.ts';
import type { Stand } from '../stand.ts';
import { document, first, type NestedSetup, type SentStatement } from './operation.ts';

export interface Prepared {
  readonly setup: NestedSetup;
  readonly key: string;
  /** A page in the middle: what is newest has hardly begun, and few events. */
  readonly variables: { readonly first: number; readonly after: string };
  /** Rows before that page. */
  readonly offset: number;
}

export async function prepare(stand: Stand, executions: number, say: (line: string) => void): Promise<Prepared> {
  const { admin, database, services, place } = stand;
  const step = (id: string) => `\n    - { id: ${id}, tool: bench.work, with: { number: 1 } }`;
  const agentId = await stand.agent('pattern', `${step('one')}${step('two')}`);
  const { rows } = await admin.query<{ id: string }>('select id from agent_versions where agent_id = $1', [agentId]);
  const world = { executions, tenants: 4, largestShare: 0.9, seed: 1, until: new Date(), versionId: rows[0]!.id };
  await generateWorld({ admin, say, ...world });
  const { tenantId, principals, middleId, size } = await homeOf(admin, 1, 1);
  const { token: key } = await database.write(tenantId, async (uow) => {
    const actor = (await loadAuthority(uow, principals.admin))!;
    return services.apiKeys.createApiKey(uow, actor, { name: 'nested', roles: ['viewer'] });
  });

  const variables = { first, after: cursorOf('executions', middleId) };
  const watched = recording(database);
  const authenticator = createAuthenticator({ database: watched.database, clock, issuers: [] });
  const authority = await authenticator.authenticate(key);
  await authenticator.close();
  const origin = { address: null, userAgent: null, traceId: null };
  const signal = new AbortController().signal;
  const operation = openOperation({ services, database: watched.database, authority, origin, signal });
  const { errors } = await execute({ schema, document: parse(document), variableValues: variables, contextValue: operation.context });
  await operation.close();
  if (errors) throw new AggregateError(errors, errors[0]!.message);
  const statements = watched.take().filter(({ isSetting }) => !isSetting);
  const sent = (from: string): SentStatement => {
    const [found, ...more] = statements.filter(({ sql }) => sql.includes(` from ${from}`));
    if (!found || more.length > 0) throw new Error(`the nested read is expected to send one statement from ${from}`);
    return { text: found.sql, values: found.params };
  };
  const setup: NestedSetup = {
    ...{ appUrl: place.appUrl, ownerUrl: place.ownerUrl, dataDir: stand.newFolder('gateway') },
    ...{ identity: sent('principals p'), executions: sent('executions e'), agents: sent('agents a') },
    ...{ approvals: sent('approvals'), events: sent('execution_events') },
  };
  return { setup, key, variables, offset: size - Math.floor((size + 1) / 2) };
}
