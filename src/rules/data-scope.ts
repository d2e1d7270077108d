// Data an agent declares to touch: what references look like. Pure; no I/O.
export const dataKinds = ['dataset', 'api', 'service'] as const;
export type DataKind = (typeof dataKinds)[number];

/** A kind and a name: `dataset:orders`, `api:payments/v2`. Compared as it is, upper and lower case included. */
export const dataReferencePattern = /^(dataset|api|service):[A-Za-z0-9][A-Za-z0-9_.:/-]{0,126}$/;

export const isDataReference = (text: string): text is `${DataKind}:${string}` => dataReferencePattern.test(text);
