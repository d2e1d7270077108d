// Audit events about every seeded row, the last of these events included, so that each filter has something to find.
import type { Services } from '#src/app.ts';
import type { Home } from './people.ts';

export async function seedAudit(
  { audit }: Pick<Services, 'audit'>,
  { admin, project: projectId, write, read }: Home,
  seed: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const actor = { ...admin, principalId: seed['Principal']! };
  const origin = { address: '127.0.0.1', userAgent: 'seed', traceId: '4bf92f3577b34da6a3ce929d0e0e4736' };
  const about = (type: string, id: string) =>
    write(async (uow) => {
      const digests = { beforeDigest: null, afterDigest: 'seeded' };
      audit.record(uow, actor, { action: 'seeded', subject: { type, id }, place: { projectId }, origin, ...digests });
    });
  for (const [type, id] of Object.entries(seed)) await about(type, id);
  const { rows } = await read((uow) => audit.listAuditEvents(uow, admin, {}, { first: 1 }));
  const { id } = rows[0]!;
  await about('AuditEvent', id);
  return { ...seed, AuditEvent: id };
}
