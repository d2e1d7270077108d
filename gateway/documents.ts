// From what a client sends to a document that may run: found by its hash or parsed, within the limits, valid, affordable. The same for every
// transport. What was parsed is kept, bounded by bytes, so that the next request with the same text or hash need not be.
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import {
  getOperationAST,
  GraphQLError,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type ValidationRule,
} from 'graphql';
import { LimitExceededError, OperatorError } from '#src/platform/errors.ts';
import { withCode } from './errors.ts';
import { exceeded, requireAffordable, requireShape, type Cost, type GatewayLimits } from './limits.ts';

/** As it arrives in a body, in a message of a WebSocket, or in the query of a URL. */
export interface OperationRequest {
  readonly query?: unknown;
  readonly operationName?: unknown;
  readonly variables?: unknown;
  readonly extensions?: unknown;
}

export interface Prepared {
  readonly source: string;
  /** SHA-256 of the source, in hex. */
  readonly hash: string;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly operationName: string | null;
  readonly variables: Readonly<Record<string, unknown>> | null;
  /** Null when the variables are wrong: the execution says so, and does nothing. */
  readonly cost: Cost | null;
}

/** What the operator registered. */
export interface RegisteredOperation {
  /** Where it stands, for messages. */
  readonly place: string;
  readonly hash: string;
  readonly source: string;
}

export interface DocumentSettings {
  readonly schema: GraphQLSchema;
  readonly limits: GatewayLimits;
  /** Also whether errors suggest names that exist. */
  readonly introspection: boolean;
  readonly registered: readonly RegisteredOperation[];
  /** Nothing else is executed. */
  readonly onlyRegistered: boolean;
}

export interface Documents {
  /** `onNew` hears a text that was not known, before it is parsed. */
  prepare(request: OperationRequest, onNew?: (source: string) => void): Prepared | readonly GraphQLError[];
  /** What `prepare` has made of this text before. */
  find(hash: string): DocumentNode | undefined;
}

interface Known {
  readonly source: string;
  readonly document: DocumentNode;
}

/** What a parsed document takes in memory for each of its tokens, besides its text; measured: 180 to 480 (fields of one letter). */
const bytesPerToken = 500;
const bytesPerCharacter = 2;
const maxErrors = 20;

export const hashOf = (source: string): string => createHash('sha256').update(source).digest('hex');

const noIntrospection: ValidationRule = (context) => ({
  Field({ name: { value } }) {
    if (value !== '__schema' && value !== '__type') return;
    context.reportError(new GraphQLError('introspection is off on this server; its operator can allow it (operations.introspection)'));
  },
});

function tokensOf({ loc }: DocumentNode): number {
  let tokens = 0;
  for (let token = loc?.startToken ?? null; token; token = token.next) tokens++;
  return tokens;
}

/** Throws OperatorError with every problem of the registered operations. */
export function createDocuments(settings: DocumentSettings): Documents {
  const { schema, limits, introspection, onlyRegistered } = settings;
  const rules = introspection ? specifiedRules : [...specifiedRules, noIntrospection];
  const registered = new Map<string, Known>();
  const kept = new LRUCache<string, Known>({
    maxSize: limits.documentCacheBytes,
    sizeCalculation: ({ source, document }) => source.length * bytesPerCharacter + tokensOf(document) * bytesPerToken,
  });

  function sourceOf({ query, extensions }: Checked): { source: string; hash: string } {
    const persisted = extensions?.['persistedQuery'];
    // Clients of WebSockets must send a query, so those that send a hash leave it empty.
    const text = query === '' ? undefined : (query ?? undefined);
    if (text !== undefined && text.length > limits.queryLength) throw exceeded('queryLength', limits, text.length);
    if (persisted === undefined || persisted === null) {
      if (text === undefined) throw refused('BAD_REQUEST', 'send the operation as `query`, or its hash as `extensions.persistedQuery`');
      return { source: text, hash: hashOf(text) };
    }
    const { version, sha256Hash: hash } = persisted as { version?: unknown; sha256Hash?: unknown };
    if (version !== 1 || typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) {
      throw refused(
        'BAD_REQUEST',
        'extensions.persistedQuery: expected { version: 1, sha256Hash: "<SHA-256 of the text, in lower-case hex>" }',
      );
    }
    if (text === undefined) {
      const source = (registered.get(hash) ?? kept.get(hash))?.source;
      if (source !== undefined) return { source, hash };
      // Clients know this text, and answer it by sending hash and text together.
      throw onlyRegistered ? notRegistered(hash) : refused('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound');
    }
    const real = hashOf(text);
    if (real !== hash) {
      throw refused(
        'PERSISTED_QUERY_HASH_MISMATCH',
        `extensions.persistedQuery.sha256Hash: ${hash} is not the hash of the query, which is ${real}`,
      );
    }
    return { source: text, hash };
  }

  function documentOf(source: string, hash: string, onNew?: (source: string) => void): DocumentNode {
    const known = registered.get(hash) ?? kept.get(hash);
    if (known) return known.document;
    onNew?.(source);
    const document = parsed(source);
    kept.set(hash, { source, document });
    return document;
  }

  /** Throws a GraphQLError, several in an AggregateError, or a LimitExceededError. */
  function parsed(source: string): DocumentNode {
    let code = 'GRAPHQL_PARSE_FAILED';
    try {
      const document = parse(source, { maxTokens: limits.queryTokens });
      requireShape(document, limits);
      code = 'GRAPHQL_VALIDATION_FAILED';
      const errors = validate(schema, document, rules, { maxErrors, hideSuggestions: !introspection });
      if (errors.some(({ message }) => message === 'Validation aborted.')) {
        const limit = { name: 'queryFields', allowed: limits.queryFields };
        throw new LimitExceededError('the document is too complex to validate: too many fields of the same name', limit);
      }
      if (errors.length > 0) throw new AggregateError(errors.map((error) => withCode(error, code)));
      return document;
    } catch (error) {
      if (error instanceof GraphQLError) {
        throw /more that \d+ tokens\. Parsing aborted/.test(error.message) ? exceeded('queryTokens', limits) : withCode(error, code);
      }
      // The recursion of the parser, or of a rule, met the end of the stack.
      if (error instanceof RangeError) {
        const limit = { name: 'queryDepth', allowed: limits.queryDepth };
        throw new LimitExceededError(
          'the document is nested too deeply; send deep values as variables, or ask in several operations',
          limit,
        );
      }
      throw error;
    }
  }

  function prepare(request: OperationRequest, onNew?: (source: string) => void): Prepared {
    const checked = check(request);
    const { source, hash } = sourceOf(checked);
    if (onlyRegistered && !registered.has(hash)) throw notRegistered(hash);
    const document = documentOf(source, hash, onNew);
    const { operationName } = checked;
    const operation = getOperationAST(document, operationName);
    if (!operation) {
      throw refused(
        'OPERATION_RESOLUTION_FAILURE',
        operationName
          ? `Unknown operation named "${operationName.slice(0, 200)}".`
          : 'Must provide operation name if query contains multiple operations.',
      );
    }
    const variables = declaredVariables(operation, checked.variables);
    const cost = requireAffordable({ schema, document, operationName, variables }, limits);
    return { source, hash, document, operation, operationName: operationName ?? null, variables, cost };
  }

  const problems = settings.registered.flatMap(({ place, hash, source }) => {
    try {
      registered.set(hash, { source, document: parsed(source) });
      return [];
    } catch (error) {
      return errorsOf(error).map(({ message, locations }) => {
        const [at] = locations ?? [];
        return `${place}${at ? ` (line ${at.line}, column ${at.column})` : ''}: ${message}`;
      });
    }
  });
  if (problems.length > 0) throw new OperatorError(`registered operations cannot be served:\n  ${problems.join('\n  ')}`);

  return {
    prepare(request, onNew) {
      try {
        return prepare(request, onNew);
      } catch (error) {
        return errorsOf(error);
      }
    },
    find: (hash) => (registered.get(hash) ?? kept.get(hash))?.document,
  };
}

/** Throws nothing, because a socket would end with it: what is not expected reaches the translator, which logs it and tells INTERNAL. */
function errorsOf(error: unknown): readonly GraphQLError[] {
  if (error instanceof GraphQLError) return [error];
  if (error instanceof AggregateError) return error.errors as GraphQLError[];
  const originalError = error instanceof Error ? error : new Error(String(error));
  return [new GraphQLError(originalError.message, { originalError })];
}

/** Those that the operation does not know could only cost time: every copy of them would be made for nothing. */
function declaredVariables(operation: OperationDefinitionNode, given: Checked['variables']): Readonly<Record<string, unknown>> | null {
  if (!given) return null;
  const names = (operation.variableDefinitions ?? []).map(({ variable }) => variable.name.value);
  return Object.fromEntries(names.flatMap((name) => (Object.hasOwn(given, name) ? [[name, given[name]]] : [])));
}

interface Checked {
  readonly query?: string | null;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>> | null;
  readonly extensions?: Readonly<Record<string, unknown>> | null;
}

function check(request: OperationRequest): Checked {
  if (!isObject(request)) {
    const what = Array.isArray(request) ? 'operations are not taken in batches: send one as' : 'send an operation as';
    throw refused('BAD_REQUEST', `${what} { "query": "…", "variables": { … } }`);
  }
  for (const name of ['query', 'operationName'] as const) {
    const value = request[name];
    if (value !== undefined && value !== null && typeof value !== 'string') throw refused('BAD_REQUEST', `${name}: expected a string`);
  }
  for (const name of ['variables', 'extensions'] as const) {
    const value = request[name];
    if (value !== undefined && value !== null && !isObject(value)) throw refused('BAD_REQUEST', `${name}: expected an object`);
  }
  return request as Checked;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);

const refused = (code: string, message: string): GraphQLError => new GraphQLError(message, { extensions: { code } });

const notRegistered = (hash: string): GraphQLError =>
  refused(
    'QUERY_NOT_IN_SAFELIST',
    `this server executes registered operations only, and none has the hash ${hash}; ask its operator to register the operation (operations.manifests)`,
  );
