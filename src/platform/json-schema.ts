// JSON Schema (2020-12, 2019-09, draft-07) for documents of tenants and tool servers: compile once, answer with problems.
// Nothing in a schema or a value may stall the process: patterns run on a linear-time engine, costly schemas under a deadline.
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { RE2JS } from 're2js';
import { DeadlineError, withDeadline } from './deadline.ts';
import { type Problem, ValidationError } from './errors.ts';
import { problemsOf } from './json-schema-problems.ts';

/** Answers with everything wrong with `value` (at most 50 problems); paths start with `at`. */
export type Validate = (value: unknown, at?: string) => Problem[];

export interface CompileOptions {
  /** Where the schema stands in its document: prefix of the problems of a broken schema. */
  readonly at?: string | undefined;
  /** What to do with a `pattern` that the linear-time engine lacks (lookahead, counts above 1,000). Default: refuse. */
  readonly unsupportedPatterns?: 'refuse' | 'ignore' | undefined;
}

const maxSchemaBytes = 256 * 1024;
const compileMs = 2_000;
const validateMs = 1_000;
/** Values with more nodes than this are validated under the deadline. */
const smallValueNodes = 2_000;
/** Keywords whose cost is not bounded by schema size × value size. */
const costlyKeywords = new Set(['$ref', '$dynamicRef', '$recursiveRef', 'uniqueItems', 'pattern', 'patternProperties']);

const dialects = {
  'https://json-schema.org/draft/2020-12/schema': Ajv2020,
  'https://json-schema.org/draft/2019-09/schema': Ajv2019,
  'http://json-schema.org/draft-07/schema': Ajv,
} as const;
type Dialect = keyof typeof dialects;
type JsonSchema = Readonly<Record<string, unknown>>;

const common: Options = {
  strict: false,
  allErrors: true,
  logger: false,
  // Own properties only, so that an input named "constructor" is not found on Object.prototype.
  ownProperties: true,
};
/** Meta-schemas cost 30 ms to compile: once per dialect, only used to check schemas. */
const metaValidators = new Map<Dialect, Ajv>();

/** Throws ValidationError with every problem of a broken schema. Compiling costs a millisecond: keep the result. */
export function compileSchema(schema: unknown, options: CompileOptions = {}): Validate {
  const at = options.at ?? '';
  if (!isObject(schema)) throw broken(at, 'must be a JSON Schema object', 'for example { "type": "object" }');
  const size = sizeOf(schema, at);
  try {
    return withDeadline(compileMs, () => compile(schema, size, options));
  } catch (error) {
    if (error instanceof ValidationError) throw error;
    if (error instanceof DeadlineError) throw broken(at, `takes more than ${compileMs} ms to compile`, 'a simpler schema');
    if (error instanceof RangeError) throw broken(at, 'is nested too deeply', 'a flatter schema');
    throw broken(at, (error as Error).message);
  }
}

function compile(schema: JsonSchema, size: SchemaSize, options: CompileOptions): Validate {
  const at = options.at ?? '';
  if (schema['$async'] === true) throw broken(at, '$async schemas are not supported', 'a schema without $async');
  // An instance of its own, so that a schema with an $id is not visible to the schemas of others.
  const ajv = new dialects[dialectOf(schema, at)]({ ...common, validateSchema: false, code: { regExp: engine(options) } });
  addFormats.default(ajv);
  // These two run a native RegExp that is not linear, or compile one.
  ajv.addFormat('url', (text) => URL.canParse(text) && /^(?:https?|ftp):/i.test(text));
  ajv.addFormat('regex', (text) => compiles(text));
  const validate = ajv.compile(schema);
  return (value, prefix = '') => run(validate, size.costly || !isSmall(value), value, prefix);
}

function run(validate: ValidateFunction, guarded: boolean, value: unknown, at: string): Problem[] {
  const check = (): Problem[] => (validate(value) ? [] : problemsOf(validate.errors as ErrorObject[], value, at));
  try {
    return guarded ? withDeadline(validateMs, check) : check();
  } catch (error) {
    if (error instanceof DeadlineError)
      return [{ path: at, message: `takes more than ${validateMs} ms to validate against its JSON Schema` }];
    if (error instanceof RangeError)
      return [{ path: at, message: 'is nested too deeply, or its JSON Schema refers to itself without end' }];
    throw error;
  }
}

/** The dialect that `$schema` names; without one 2020-12, or draft-07 when the schema is valid only there (tuple `items`). */
function dialectOf(schema: JsonSchema, at: string): Dialect {
  const named = schema['$schema'];
  if (named !== undefined) {
    const dialect = (typeof named === 'string' ? named : '')
      .replace(/#$/, '')
      .replace(/^https?:\/\/json-schema.org\/draft-07/, 'http://json-schema.org/draft-07');
    if (!(dialect in dialects)) {
      throw broken(`${at ? `${at}.` : ''}$schema`, `${JSON.stringify(named)} is not supported`, Object.keys(dialects).join(', '));
    }
    const problems = metaProblems(dialect as Dialect, schema, at);
    if (problems.length > 0) throw new ValidationError(problems);
    return dialect as Dialect;
  }
  const problems = metaProblems('https://json-schema.org/draft/2020-12/schema', schema, at);
  if (problems.length === 0) return 'https://json-schema.org/draft/2020-12/schema';
  if (metaProblems('http://json-schema.org/draft-07/schema', schema, at).length === 0) return 'http://json-schema.org/draft-07/schema';
  throw new ValidationError(problems);
}

function metaProblems(dialect: Dialect, schema: JsonSchema, at: string): Problem[] {
  let ajv = metaValidators.get(dialect);
  if (!ajv) {
    ajv = new dialects[dialect](common);
    addFormats.default(ajv);
    metaValidators.set(dialect, ajv);
  }
  const { $schema: _, ...rest } = schema;
  return ajv.validateSchema(rest) === true ? [] : problemsOf(ajv.errors ?? [], rest, at);
}

interface SchemaSize {
  readonly costly: boolean;
}

function sizeOf(schema: JsonSchema, at: string): SchemaSize {
  let costly = false;
  let text: string;
  try {
    text = JSON.stringify(schema, (key, value: unknown) => {
      if (costlyKeywords.has(key)) costly = true;
      return value;
    });
  } catch {
    throw broken(at, 'is nested too deeply', 'a flatter schema');
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > maxSchemaBytes) throw broken(at, `is ${bytes} bytes of JSON`, `at most ${maxSchemaBytes} bytes`);
  return { costly: costly || bytes > maxSchemaBytes / 16 };
}

/** True when `value` has few nodes; looks at no more of it than needed to know. */
function isSmall(value: unknown): boolean {
  const open: unknown[] = [value];
  for (let seen = 0; open.length > 0; seen++) {
    if (seen > smallValueNodes) return false;
    const node = open.pop();
    if (typeof node !== 'object' || node === null) continue;
    const children = Array.isArray(node) ? node : Object.values(node);
    if (children.length > smallValueNodes) return false;
    for (const child of children) open.push(child);
  }
  return true;
}

function engine({ unsupportedPatterns }: CompileOptions) {
  const regExp = (pattern: string) => {
    try {
      const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern), RE2JS.LOOKBEHINDS);
      return { test: (text: string) => compiled.test(text) };
    } catch (error) {
      if (unsupportedPatterns === 'ignore') return { test: () => true };
      throw new Error(`pattern ${JSON.stringify(pattern)}: ${(error as Error).message} (regular expressions here are RE2: no lookahead)`, {
        cause: error,
      });
    }
  };
  // Ajv prints this name when it generates stand-alone code, which is never done here.
  return Object.assign(regExp, { code: 're2' });
}

function compiles(pattern: string): boolean {
  try {
    RE2JS.compile(RE2JS.translateRegExp(pattern), RE2JS.LOOKBEHINDS);
    return true;
  } catch {
    return false;
  }
}

const isObject = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null && !Array.isArray(value);
const broken = (path: string, message: string, expected?: string) => new ValidationError([{ path, message, expected }]);
