// What an operation is to this client: its text, and the types of its data and variables as GraphQL Code Generator gives them.

/** Made with `documentMode: string` (see codegen.yml). Compatible with `TypedDocumentString` of every generated folder. */
export interface TypedDocument<Data, Variables> {
  /** Never set; carries the types. */
  __apiType?: (variables: Variables) => Data;
  toString(): string;
}

/** Variables may be left out when all of them are optional. */
export type VariablesOf<Variables> = Record<never, never> extends Variables ? [variables?: Variables | undefined] : [variables: Variables];

export function textOf(document: TypedDocument<never, never>): string {
  const text = document.toString();
  if (!/^\s*(query|mutation|subscription|fragment|\{|#)/.test(text)) {
    throw new TypeError('the document has no text; generate documents with `documentMode: string` as in client/codegen.yml');
  }
  return text;
}
