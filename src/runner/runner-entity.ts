// Running runner processes. Each holds a session advisory lock on `lock_key`; who can take that lock knows the runner is dead.
import { defineEntity, p } from '@mikro-orm/core';
import { moment } from '../platform/entity.ts';

export const Runner = defineEntity({
  name: 'Runner',
  tableName: 'runners',
  properties: {
    id: p.uuid().primary(),
    /** Id of the graphile-worker pool whose jobs are released when the runner is dead. */
    workerPoolId: p.text(),
    lockKey: p.bigint('string'),
    startedAt: moment(),
  },
});
