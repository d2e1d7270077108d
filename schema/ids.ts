// Global ids on the way in: base64 of `Type:uuid`. Input fields and arguments declare which types they accept; resolvers get the bare uuid.
import { encodeGlobalID } from '@pothos/plugin-relay';
import { z } from 'zod';
import { isId } from '#src/platform/ids.ts';

export interface GlobalId {
  readonly typename: string;
  readonly id: string;
}

export const toGlobalId = (typename: string, id: string): string => encodeGlobalID(typename, id);

/** Null for anything this API never gave out. */
export function parseGlobalId(text: string): GlobalId | null {
  const decoded = Buffer.from(text, 'base64').toString();
  const colon = decoded.indexOf(':');
  const typename = decoded.slice(0, colon);
  const id = decoded.slice(colon + 1);
  if (colon < 1 || !/^[A-Z]\w*$/.test(typename) || !isId(id) || toGlobalId(typename, id) !== text) return null;
  return { typename, id };
}

/** What a schema made here accepts, for tools that walk the GraphQL schema; empty = any type. */
const acceptedTypes = new WeakMap<object, readonly string[]>();
export const acceptedTypesOf = (schema: object): readonly string[] | undefined => acceptedTypes.get(schema);

const cited = (text: string) => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);

function schemaFor<T>(typenames: readonly string[], pick: (id: GlobalId) => T) {
  const expected = typenames.length > 0 ? `a global id of type ${typenames.join(' or ')}` : 'a global id';
  const schema = z.string().transform((text, context): T => {
    const parsed = parseGlobalId(text);
    if (parsed && (typenames.length === 0 || typenames.includes(parsed.typename))) return pick(parsed);
    const message = parsed ? `${cited(text)} is a global id of type ${parsed.typename}` : `${cited(text)} is not a global id of this API`;
    context.addIssue({ code: 'custom', message: `${message}; expected ${expected}`, params: { expected } });
    return z.NEVER;
  });
  acceptedTypes.set(schema, typenames);
  return schema;
}

/** `t.id({ … }).validate(globalId('Project'))`: the resolver gets the uuid. */
export const globalId = (typename: string) => schemaFor([typename], ({ id }) => id);

/** Where several types fit, or any (no names given): the resolver gets `{ typename, id }`. */
export const globalIdOfAny = (...typenames: readonly string[]) => schemaFor(typenames, (id) => id);

/** `t.idList({ … }).validate(globalIdsOfAny())`; `max` bounds the length. */
export function globalIdsOfAny(max = 100) {
  const schema = z.array(globalIdOfAny()).max(max, `at most ${max} ids`);
  acceptedTypes.set(schema, []);
  return schema;
}

/** The same for one type: the resolver gets the uuids. */
export function globalIds(typename: string, max = 100) {
  const schema = z.array(globalId(typename)).max(max, `at most ${max} ids`);
  acceptedTypes.set(schema, [typename]);
  return schema;
}
