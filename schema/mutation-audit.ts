// What a mutation changed, for its audit event: by convention the first thing it returns. Knows types by name, never what they are.
import type { UnitOfWork } from '#src/platform/database.ts';
import type { Services } from '#src/app.ts';
import { isId } from '#src/platform/ids.ts';
import { digestOfRow, type Origin, type Subject } from '#src/audit/audit.ts';
import type { Authority, Place } from '#src/principals/permission.ts';
import { parseGlobalId } from './ids.ts';
import { readerOf, type ReadByIds } from './node.ts';

type Row = Place & { readonly id: string };

export interface Audited {
  readonly action: string;
  /** Name of the type of the first thing returned; null when it is a scalar. */
  readonly typeName: string | null;
  /** Name of the field that holds it. */
  readonly field: string;
}

/** Reads what the input names of the subject's type; the answer records what became of it, if anything was written. */
export async function beginAudit(
  services: Services,
  uow: UnitOfWork,
  actor: Authority,
  { action, typeName, field }: Audited,
  input: unknown,
) {
  const type = typeName ?? titled(field.replace(/Id$/, ''));
  const read = readerOf(type);
  // Digests are of the whole row, whoever may see how much of it.
  const everything: Authority = { ...actor, grants: [{ role: 'admin', kind: 'tenant', scopeId: uow.tenantId }] };
  const rowOf = async (id: string | null) => (id !== null && read ? ((await readOne(read, services, uow, everything, id)) ?? null) : null);
  const named = idIn(input, type);
  const before = await rowOf(named);

  return async (result: Readonly<Record<string, unknown>>, origin: Origin): Promise<void> => {
    const id = idOf(result[field]) ?? named;
    const after = await rowOf(id);
    if (!uow.hasChanged()) return;
    const subject: Subject | null = read ? { type, id } : typeName === null ? null : { type: typeName, id: null };
    const place = placeOf(type, after ?? before);
    services.audit.record(uow, actor, {
      ...{ action, subject, place, origin },
      beforeDigest: before?.id === id ? digestOfRow(before) : null,
      afterDigest: digestOfRow(after),
    });
  };
}

async function readOne(read: ReadByIds<Row>, services: Services, uow: UnitOfWork, actor: Authority, id: string) {
  return (await read(services, uow, actor, [id]))[0];
}

const titled = (name: string) => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;

/** `policyId` of the input, for a mutation that returns a Policy. */
function idIn(input: unknown, type: string): string | null {
  const id = (input as Readonly<Record<string, unknown>>)[`${type.slice(0, 1).toLowerCase()}${type.slice(1)}Id`];
  return typeof id === 'string' && isId(id) ? id : null;
}

/** Of a row, a bare id, or a global id. */
function idOf(value: unknown): string | null {
  if (typeof value === 'string') return isId(value) ? value : (parseGlobalId(value)?.id ?? null);
  const id = (value as { id?: unknown } | null | undefined)?.id;
  return typeof id === 'string' && isId(id) ? id : null;
}

/** Where reading its record is permitted: where the thing itself is. */
function placeOf(type: string, row: Row | null): Place {
  if (!row) return {};
  const { projectId, environmentId, teamId } = row;
  if (type === 'Project') return { projectId: row.id };
  if (type === 'Environment') return { projectId, environmentId: row.id };
  if (type === 'Team') return { teamId: row.id };
  return { projectId, environmentId, teamId };
}
