// The executable schema, built once from the types and the root fields; its text is what `npm run generate` commits.
import { lexicographicSortSchema, printSchema } from 'graphql';
import { builder } from '#schema/builder.ts';
import '#schema/index.ts';
import '#resolvers/index.ts';

export const schema = builder.toSchema();

export const printSchemaText = (): string => `${printSchema(lexicographicSortSchema(schema))}\n`;
