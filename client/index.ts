// What the package exports: the client, its errors, the documents and types generated from the schema.
export { createSignalboxClient, type SignalboxClient, type SignalboxClientOptions } from './client.ts';
export type { TypedDocument } from './document.ts';
export { SignalboxClientError, successOf, type Problem, type SignalboxClientErrorCode, type SuccessOf } from './errors.ts';
export type { RequestOptions } from './http.ts';
export { operationsManifest, type OperationsManifest } from './persisted.ts';
export type { RetryOptions, Stream, SubscribeOptions } from './stream.ts';
export * from './generated/graphql.ts';
