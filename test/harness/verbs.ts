// What clients do to executions, over HTTP: mutations with everything they answer, and refusals that must leave every row as it was.
import assert from 'node:assert/strict';
import { ids, type Api } from './api.ts';
import type { Caller } from './graphql.ts';

export interface VerbResult {
  readonly __typename: string;
  readonly code?: string;
  readonly message: string;
  readonly problems: readonly {
    readonly path: string;
    readonly message: string;
    readonly line: number | null;
    readonly column: number | null;
  }[];
  readonly execution: any;
  readonly signal: any;
}

export interface Verbs {
  mutate(name: string, input: object, as?: Caller): Promise<VerbResult>;
  /** Succeeds; gives the execution, or the signal. */
  done(name: string, input: object, as?: Caller): Promise<any>;
  /** Is refused as this type with this message, and no row of the tenant changes. Nothing may be under way meanwhile. */
  refused(name: string, input: object, typename: string, message: RegExp, as?: Caller): Promise<VerbResult>;
  /** One execution with everything asked for; null when `as` does not see it. */
  show(executionId: string, selection: string, as?: Caller): Promise<any>;
  /** Input of startExecution for an agent in staging. */
  startInput(agentId: string, more?: object): object;
}

const executionFields = `id status startAt createdAt startedAt finishedAt inputs output labels depth idempotencyKey forkStepId
  version { version } requestedBy { id } retryOf { id } forkOf { id } failure { code message }`;
const signalFields = 'id name payload sentAt receivedByStepId receivedAt sentBy { id } execution { id status }';
const tables = ['executions', 'steps', 'attempts', 'signals', 'execution_events', 'approvals', 'decisions'];

export function createVerbs(api: Api): Verbs {
  const { home } = api;
  const rows = () =>
    home.read(async (uow) => {
      const all: unknown[] = [];
      for (const table of tables) all.push(await uow.rows(`select t::text as row from ${table} t order by 1`));
      return all;
    });

  async function mutate(name: string, input: object, as: Caller = api.operator): Promise<VerbResult> {
    const type = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
    const returned = name === 'signalExecution' ? `signal { ${signalFields} }` : `execution { ${executionFields} }`;
    const query = `mutation ($input: ${type}Input!) { ${name}(input: $input) { __typename ... on ${type}Success { ${returned} }
      ... on Error { code message } ... on ValidationError { problems { path message line column } } } }`;
    const { data, errors } = await api.gql(query, { input }, { as });
    assert.equal(errors, undefined, JSON.stringify(errors));
    return data![name] as VerbResult;
  }

  return {
    mutate,
    async done(name, input, as) {
      const result = await mutate(name, input, as);
      assert.match(result.__typename, /Success$/, result.message);
      return name === 'signalExecution' ? result.signal : result.execution;
    },
    async refused(name, input, typename, message, as) {
      const before = await rows();
      const result = await mutate(name, input, as);
      assert.equal(result.__typename, typename, JSON.stringify(result));
      assert.match(result.message, message);
      assert.deepEqual(await rows(), before, 'a refused mutation changes nothing');
      return result;
    },
    async show(executionId, selection, as = home.adminKey) {
      const query = `query ($id: ID!) { execution(id: $id) { ${selection} } }`;
      const { data, errors } = await api.gql(query, { id: ids.execution(executionId) }, { as });
      assert.equal(errors, undefined, JSON.stringify(errors));
      return data!['execution'];
    },
    startInput: (agentId, more = {}) => ({ agentId: ids.agent(agentId), environmentId: ids.environment(home.staging), ...more }),
  };
}
