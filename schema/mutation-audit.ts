// What a mutation changed, for its audit events: by convention the first thing it returns. Knows types by name, never what they are.
import type { UnitOfWork } from '#src/platform/database.ts';
import type { Services } from '#src/app.ts';
import { isId } from '#src/platform/ids.ts';
import { digestOfRow, type Origin } from '#src/audit/audit.ts';
import type { Authority, Place } from '#src/authority/permission.ts';
import { parseGlobalId } from './ids.ts';
import { readerOf } from './node.ts';

type Row = Place & { readonly id?: unknown; readonly name?: unknown };

/** Where the state of what changes is found, before and after. */
export interface Subjects<Input> {
  /** Name of their type. */
  readonly type: string;
  /** What the input calls them: ids, or names of what has none. */
  keys(input: Input): readonly string[];
  /** True: there may be many, of which only those are recorded that changed. */
  readonly isList?: true;
  /** What the result is called, for what did not exist before. */
  keyOf?(result: Readonly<Record<string, unknown>>): string | null;
  /** The whole state of each that exists, by key. `everything` may see all of it, as an auditor must. */
  find(services: Services, uow: UnitOfWork, everything: Authority, keys: readonly string[]): Promise<ReadonlyMap<string, object>>;
}

/** What a `find` gives that looks for a single one. */
export const found = (key: string, row: object | null | undefined): ReadonlyMap<string, object> => new Map(row ? [[key, row]] : []);

/** The first thing returned: named by `policyId` in the input of what returns a Policy, or by `<field>Id`. */
export function subjectsOf<Input>(typeName: string | null, field: string): Subjects<Input> {
  const type = typeName ?? titled(field.replace(/Id$/, ''));
  const names = [`${type.slice(0, 1).toLowerCase()}${type.slice(1)}Id`, `${field}Id`];
  return {
    type,
    keys: (input) =>
      names
        .map((name) => (input as Readonly<Record<string, unknown>>)[name])
        .filter(isKey)
        .slice(0, 1),
    keyOf: (result) => idOf(result[field]),
    find: async (services, uow, everything, ids) => {
      const rows = (await readerOf(type)?.(services, uow, everything, ids)) ?? [];
      return new Map(rows.map((row) => [row.id, row]));
    },
  };
}

export interface Audited<Input> {
  /** Name of the mutation. */
  readonly action: string;
  readonly subjects: Subjects<Input>;
}

/** Reads what the input names; the answer records what became of it, if anything was written. */
export async function beginAudit<Input>(
  services: Services,
  uow: UnitOfWork,
  actor: Authority,
  { action, subjects }: Audited<Input>,
  input: Input,
) {
  const { type, isList = false } = subjects;
  const everything: Authority = { ...actor, grants: [{ role: 'admin', kind: 'tenant', scopeId: uow.tenantId }] };
  const find = async (keys: readonly string[]) =>
    (keys.length > 0 ? await subjects.find(services, uow, everything, keys) : new Map()) as ReadonlyMap<string, Row>;
  const named = [...new Set(subjects.keys(input))];
  if (named.length > 0) takeTurns(uow, type, named);
  const before = await find(named);

  return async (result: Readonly<Record<string, unknown>>, origin: Origin): Promise<void> => {
    const made = subjects.keyOf?.(result);
    const keys = made == null ? named : [made];
    const after = await find(keys);
    if (!uow.hasChanged()) return;
    const record = (key: string | null, was: Row | null, is: Row | null) => {
      const [beforeDigest, afterDigest] = [digestOfRow(was), digestOfRow(is)];
      if (isList && beforeDigest === afterDigest) return;
      const row = is ?? was;
      const id = isKey(row?.id) ? row.id : isKey(key) ? key : null;
      const name = typeof row?.name === 'string' && id !== null ? row.name : id === null ? key : null;
      services.audit.record(uow, actor, {
        action,
        subject: { type, id, name },
        place: placeOf(type, row),
        origin,
        beforeDigest,
        afterDigest,
      });
    };
    for (const key of keys) record(key, before.get(key) ?? null, after.get(key) ?? null);
    if (keys.length === 0) record(null, null, null);
  };
}

/**
 * Of mutations of the same thing, each begins with what the one before has left. First in the transaction, and in one order, so that
 * nobody who holds anything else waits here.
 */
function takeTurns(uow: UnitOfWork, type: string, keys: readonly string[]): void {
  uow.write(
    `select pg_advisory_xact_lock(hashtextextended('audit ' || $1::text || ' ' || $2::text || ' ' || key, 0))
     from unnest($3::text[]) key order by key`,
    [uow.tenantId, type, keys],
  );
}

const titled = (name: string) => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;

const isKey = (value: unknown): value is string => typeof value === 'string' && isId(value);

/** Of a row, a bare id, or a global id. */
function idOf(value: unknown): string | null {
  if (typeof value === 'string') return isId(value) ? value : (parseGlobalId(value)?.id ?? null);
  const id = (value as { id?: unknown } | null | undefined)?.id;
  return isKey(id) ? id : null;
}

/** Where reading its record is permitted: where the thing itself is. */
function placeOf(type: string, row: Row | null): Place {
  if (!row) return {};
  const { projectId, environmentId, teamId } = row;
  const id = String(row.id);
  if (type === 'Project') return { projectId: id };
  if (type === 'Environment') return { projectId, environmentId: id };
  if (type === 'Team') return { teamId: id };
  return { projectId, environmentId, teamId };
}
