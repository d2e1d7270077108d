// The published operations as functions, made from the generated documents: `client.startExecution({ input })`.
// Queries give the value of their one field, mutations the success member of their result, subscriptions a stream.
import { type TypedDocument, type VariablesOf } from './document.ts';
import { successOf, type SuccessOf } from './errors.ts';
import * as documents from './generated/graphql.ts';
import type { RequestOptions } from './http.ts';
import type { Stream, SubscribeOptions } from './stream.ts';

type Documents = typeof documents;
type NameOf<Key> = Key extends `${infer Name}Document` ? Uncapitalize<Name> : never;
/** The value of the one root field. */
type Value<Data> = Data[Exclude<keyof Data, '__typename'>];
/** Queries give their value as it is: only results of mutations have a member that ends in `Success`. */
type Outcome<Result> = [SuccessOf<Result>] extends [never] ? Result : SuccessOf<Result>;

/** Subscriptions among the documents; a test compares this list with them. */
export const subscriptionNames = [
  'executionEvents',
  'executionChanged',
  'tenantEvents',
  'approvalRequests',
  'auditTrail',
  'simulationProgress',
] as const;
type SubscriptionName = (typeof subscriptionNames)[number];

export type Operations = {
  readonly [Key in keyof Documents as NameOf<Key>]: Documents[Key] extends TypedDocument<infer Data, infer Variables>
    ? NameOf<Key> extends SubscriptionName
      ? (...given: [...VariablesOf<Variables>, options?: SubscribeOptions | undefined]) => Stream<Value<Data>>
      : (...given: [...VariablesOf<Variables>, options?: RequestOptions | undefined]) => Promise<Outcome<Value<Data>>>
    : never;
};

export interface Senders {
  request(query: string, variables: object, options: RequestOptions): Promise<Record<string, unknown>>;
  subscribe(
    query: string,
    variables: object,
    batchOf: (data: Record<string, unknown>) => unknown,
    options: SubscribeOptions,
  ): Stream<unknown>;
}

const valueOf = (data: Record<string, unknown>): unknown => Object.values(data)[0];

export function bindOperations({ request, subscribe }: Senders): Operations {
  const operations: Record<string, (variables?: object, options?: object) => unknown> = {};
  for (const [key, document] of Object.entries(documents)) {
    if (!key.endsWith('Document')) continue;
    const name = `${key[0]!.toLowerCase()}${key.slice(1, -'Document'.length)}`;
    const query = String(document);
    const kind = /^\s*(query|mutation|subscription)\b/.exec(query)?.[1];
    if (kind === 'subscription') operations[name] = (variables = {}, options = {}) => subscribe(query, variables, valueOf, options);
    if (kind === 'query') operations[name] = async (variables = {}, options = {}) => valueOf(await request(query, variables, options));
    if (kind === 'mutation') {
      operations[name] = async (variables = {}, options = {}) =>
        successOf(valueOf(await request(query, variables, options)) as { __typename?: string });
    }
  }
  return operations as unknown as Operations;
}
