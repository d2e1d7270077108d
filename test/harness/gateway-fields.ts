// Root fields that only tests have: they fail on request, nest as deep as asked, and stream what the test sends.
import { builder } from '#schema/builder.ts';
import { connectionOf, connectionType, paged } from '#schema/connection.ts';
import '#schema/index.ts';
import { globalId } from '#schema/ids.ts';
import { mutation } from '#schema/mutation.ts';
import { nodeType } from '#schema/node.ts';
import { subscription } from '#schema/subscription.ts';
import type { LiveBatch, LiveStream } from '#src/events/live-stream.ts';
import { ConflictError, InvalidStateError, NotFoundError, ValidationError } from '#src/platform/errors.ts';
import { pageOf, pageWindow } from '#src/platform/page.ts';

export interface ThingRow {
  readonly id: string;
  readonly name: string;
}

/** What tests look at and turn. */
export const probe = {
  loads: [] as (readonly string[])[],
  /** How often `padding` or `testPadding` was resolved. */
  executions: 0,
  /** Ends one `testHeld` each, oldest first. */
  held: [] as (() => void)[],
  sources: new Map<string, { push(batch: number): void; fail(error: Error): void; end(): void; readonly isStopped: () => boolean }>(),
};

export const Thing = nodeType<ThingRow>('TestThing', async (_services, uow, actor, ids) => {
  probe.loads.push(ids);
  return uow.rows<ThingRow>('select id, name from projects where tenant_id = $1 and id = any($2::uuid[])', [actor.tenantId, ids]);
});
export const ThingConnection = connectionType(Thing);
Thing.implement({
  description: 'A project under another name.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name.' }),
    self: t.field({ type: Thing, description: 'Itself, loaded again.', resolve: ({ id }) => id }),
    siblings: t.field({
      type: ThingConnection,
      description: 'All of them.',
      ...paged(),
      resolve: (_row, page, { read, authority }) => things(authority.tenantId, page, read),
    }),
    fails: t.string({
      description: 'Always fails.',
      args: { how: t.arg.string({ required: true, description: 'expected, unexpected, sql or lost.' }) },
      resolve: async (_row, { how }, { read }) => {
        if (how === 'expected') throw new InvalidStateError('this is public', { private: 'detail' });
        if (how === 'lost') {
          await read((uow) => uow.rows('set local role none')); // back to the role that may end its own session
          await read((uow) => uow.rows('select pg_terminate_backend(pg_backend_pid())'));
        }
        if (how === 'sql') await read((uow) => uow.rows('select secret_column from nowhere'));
        throw new Error('the password is hunter2');
      },
    }),
  }),
});

const things = (tenantId: string, page: { first?: number | null; after?: string | null }, read: Parameters<typeof readThings>[2]) =>
  connectionOf('things', readThings(tenantId, page, read));

async function readThings(
  tenantId: string,
  page: { first?: number | null; after?: string | null },
  read: <T>(
    work: (uow: { rows<Row extends object>(sql: string, params?: readonly unknown[]): Promise<Row[]> }) => Promise<T>,
  ) => Promise<T>,
) {
  const window = pageWindow('things', page);
  const rows = await read((uow) =>
    uow.rows<ThingRow>('select id, name from projects where tenant_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3', [
      tenantId,
      window.afterId,
      window.limit,
    ]),
  );
  return pageOf(window, rows);
}

builder.queryField('testThings', (t) =>
  t.field({
    type: ThingConnection,
    description: 'All of them.',
    authScopes: { permission: 'project.read' },
    ...paged(),
    resolve: (_root, page, { read, authority }) => things(authority.tenantId, page, read),
  }),
);

builder.queryField('testEcho', (t) =>
  t.field({
    type: 'JSON',
    nullable: true,
    description: 'Its argument.',
    authScopes: { authenticated: true },
    args: { value: t.arg({ type: 'JSON', description: 'Anything.' }), at: t.arg({ type: 'DateTime', description: 'A moment.' }) },
    resolve: (_root, { value, at }) => at?.toISOString() ?? value,
  }),
);

builder.queryField('testPadding', (t) =>
  t.string({
    description: 'As much text as asked for.',
    authScopes: { authenticated: true },
    args: { length: t.arg.int({ required: true, description: 'Characters.' }) },
    resolve: (_root, { length }) => {
      probe.executions++;
      return 'x'.repeat(length);
    },
  }),
);

builder.queryField('testHeld', (t) =>
  t.boolean({
    description: 'Answers when the test lets it.',
    authScopes: { authenticated: true },
    resolve: async () => {
      await new Promise<void>((resolve) => probe.held.push(resolve));
      return true;
    },
  }),
);

const RenameInput = builder.inputType('TestRenameInput', {
  description: 'Which thing to rename.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Its id.' }).validate(globalId('TestThing')),
    name: t.string({ required: true, description: 'Its new name; a few have effects of their own.' }),
  }),
});

mutation('testRename', {
  description: 'Renames a thing.',
  permission: 'project.manage',
  input: RenameInput,
  returns: { thing: { type: Thing, description: 'The renamed thing.' } },
  fails: [ConflictError],
  async resolve(_services, uow, actor, { id, name }) {
    const rows = await uow.rows('update projects set name = $3 where tenant_id = $1 and id = $2 returning id', [actor.tenantId, id, name]);
    if (rows.length === 0) throw new NotFoundError('there is no such thing');
    if (name === 'taken') throw new ConflictError('name: "taken" is taken');
    if (name === 'wrong') throw new ValidationError([{ path: 'name', message: 'is wrong', expected: 'a right one' }]);
    if (name === 'broken') throw new Error('the password is hunter2');
    return { thing: id as never };
  },
});

interface Tick extends LiveBatch {
  readonly n: number;
}
const TickType = builder.objectRef<Tick>('TestTick').implement({
  description: 'One batch.',
  fields: (t) => ({
    n: t.exposeInt('n', { description: 'What was sent.' }),
    cursor: t.exposeString('cursor', { description: 'Behind it.' }),
    padding: t.string({
      description: 'As much text as asked for.',
      args: { length: t.arg.int({ required: true, description: 'Characters.' }) },
      resolve: (_row, { length }) => {
        probe.executions++;
        return 'x'.repeat(length);
      },
    }),
    things: t.field({
      type: ThingConnection,
      description: 'All things, read for this batch.',
      ...paged(),
      resolve: (_row, page, { read, authority }) => things(authority.tenantId, page, read),
    }),
    who: t.string({
      description: 'Roles by the time of this batch.',
      resolve: (_row, _args, ctx) => ctx.authority.grants.map((g) => g.role).join(','),
    }),
  }),
});

subscription('testTicks', {
  description: 'What the test sends to the source of this name.',
  type: TickType,
  permission: 'project.read',
  args: (t) => ({
    name: t.string({ required: true, description: 'Name of the source.' }),
    project: t.string({ description: 'A project that must be visible.' }),
  }),
  after: 'Cursor of a tick.',
  async permitted(_services, uow, actor, { project }) {
    if (!project) return;
    const isVisible = actor.grants.some((grant) => grant.kind === 'tenant' || grant.scopeId === project);
    const rows = await uow.rows('select 1 from projects where tenant_id = $1 and id = $2', [actor.tenantId, project]);
    if (!isVisible || rows.length === 0) throw new NotFoundError(`there is no project ${project}`);
  },
  source: ({ signal }, { name }) => controlled(name, signal),
});

/** Its places are how many batches there were. */
function controlled(name: string, signal: AbortSignal): LiveStream<Tick> {
  const batches: number[] = [];
  let end: { readonly error: Error | null } | null = null;
  let wake = Promise.withResolvers<void>();
  const turn = () => {
    wake.resolve();
    wake = Promise.withResolvers();
  };
  const over = (error: Error | null) => {
    end ??= { error };
    turn();
  };
  signal.addEventListener('abort', () => over(null));
  probe.sources.set(name, {
    push(n) {
      batches.push(n);
      turn();
    },
    fail: (error) => over(error),
    end: () => over(null),
    isStopped: () => signal.aborted,
  });
  const tick = (at: number): Tick => ({ n: batches[at]!, cursor: String(at + 1), caughtUp: true });
  return {
    head: async () => String(batches.length),
    async *history(after, until) {
      if (after !== null) for (let at = Number(after); at < Number(until); at++) yield tick(at);
    },
    async *live(from) {
      for (let at = Number(from); ;) {
        const woken = wake.promise;
        while (at < batches.length) yield tick(at++);
        if (end?.error) throw end.error;
        if (end) return;
        await woken;
      }
    },
    compare: (a, b) => Number(a) - Number(b),
  };
}
