// Starting small definitions on a hand-turned engine, and looking at what became of them.
import type { Definition, StepDefinition } from '#src/agents/definition.ts';
import type { ExecutionRow } from '#src/executions/execution-rows.ts';
import type { HandEngine } from './hand-queue.ts';

export type Steps = readonly Partial<StepDefinition>[];

export const tool = (name: string, args: Record<string, unknown> = {}) => ({ tool: { name, with: args } });

export function looksAt(engine: () => HandEngine) {
  const rows = (sql: string, id: string) => engine().db.database.read(engine().tenantId, (uow) => uow.rows<any>(sql, [id]));
  const look = (id: string): Promise<ExecutionRow> => engine().until(id, () => true);

  async function start(steps: Steps, inputs: Record<string, unknown> = {}, more: Partial<Definition> = {}): Promise<string> {
    const { id } = await engine().start(await engine().agent(steps, more), inputs);
    await engine().work();
    return id;
  }

  return {
    /** SQL with the execution's id as `$1`. */
    rows,
    look,
    /** Starts an execution and does all work that is due. */
    start,
    async run(steps: Steps, inputs: Record<string, unknown> = {}, output?: unknown): Promise<ExecutionRow> {
      return look(await start(steps, inputs, output === undefined ? {} : { output }));
    },
    async types(id: string, stepId?: string): Promise<string[]> {
      const events = await engine().events(id);
      return events.filter(({ data }) => stepId === undefined || data['stepId'] === stepId).map(({ type }) => type);
    },
    async rowOf(id: string, stepId: string, itemIndex = -1): Promise<any> {
      const all = await rows('select * from steps where execution_id = $1', id);
      return all.find((row) => row.step_id === stepId && row.item_index === itemIndex);
    },
    async statuses(id: string): Promise<Record<string, string>> {
      const all = await rows('select step_id, status from steps where execution_id = $1 and item_index = -1 order by step_id', id);
      return Object.fromEntries(all.map((row) => [row.step_id, row.status]));
    },
    async codeOf(id: string, stepId: string): Promise<string> {
      return (await rows('select step_id, failure from steps where execution_id = $1 and item_index = -1', id)).find(
        (row) => row.step_id === stepId,
      ).failure.code;
    },
  };
}
