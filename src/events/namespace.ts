// Names this history in what several of them may share (a Redis): the epoch alone would also be that of a copy of the database.
import type { Database } from '../platform/database.ts';
import { newId } from '../platform/ids.ts';

export async function historyNamespace(database: Database): Promise<string> {
  const [row] = await database.read(newId(), (uow) =>
    uow.rows<{ name: string }>(
      `select epoch || '-' || (select system_identifier from pg_control_system()) || '-' || (select oid from pg_database where datname = current_database())
         as name from stream_epoch`,
    ),
  );
  return `signalbox:${row!.name}`;
}
