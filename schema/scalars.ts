// Scalars beyond GraphQL's own: moments and free JSON. Bounds what JSON may look like, so that nothing behind can be exhausted by nesting.
import { GraphQLError, Kind, valueFromASTUntyped, type ValueNode } from 'graphql';
import { builder } from './builder.ts';

export const maxJsonDepth = 64;

const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

function parseMoment(value: unknown): Date {
  const date = typeof value === 'string' && moment.test(value) ? new Date(value) : null;
  if (!date || Number.isNaN(date.getTime())) {
    throw new GraphQLError(
      `${JSON.stringify(value)?.slice(0, 80)} is not a moment; expected ISO 8601 with a zone, such as "2026-01-31T09:30:00Z"`,
    );
  }
  return date;
}

builder.scalarType('DateTime', {
  description: 'A moment, ISO 8601 in UTC with milliseconds: `2026-01-31T09:30:00.000Z`. As input any zone is accepted.',
  serialize: (value) => (value instanceof Date ? value : new Date(value as string)).toISOString(),
  parseValue: parseMoment,
});

function boundedJson(value: unknown): unknown {
  // Level by level instead of recursively: the very nesting it guards against must not exhaust the stack here.
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxJsonDepth) throw new GraphQLError(`this JSON is nested deeper than ${maxJsonDepth} levels`);
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return value;
}

builder.scalarType('JSON', {
  description: `Any JSON value, nested at most ${maxJsonDepth} levels deep.`,
  serialize: (value) => value,
  parseValue: boundedJson,
  parseLiteral: (node: ValueNode, variables) => {
    if (node.kind === Kind.ENUM) throw new GraphQLError(`${node.value} is not a JSON value; put text in double quotes`, { nodes: node });
    return boundedJson(valueFromASTUntyped(node, variables));
  },
});
