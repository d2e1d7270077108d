// Data an agent declares to touch. Pure; no I/O.
export const dataKinds = ['dataset', 'api', 'service'] as const;
export type DataKind = (typeof dataKinds)[number];
