// Every migration in order, as an explicit list (written by `npm run generate`).
import { Migration20261121000001Initial } from './20261121000001-initial.ts';
import { Migration20261121000002Functions } from './20261121000002-functions.ts';

export const migrations = [
  { name: '20261121000001-initial', class: Migration20261121000001Initial },
  { name: '20261121000002-functions', class: Migration20261121000002Functions },
];
