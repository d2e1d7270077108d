// The outbound guard of tests: every name leads to this machine, so that requests reach the servers of the test and nothing else.
import { createOutbound } from '#src/outbound/guard.ts';

export const localOutbound = createOutbound({ allow: ['127.0.0.1/32'], resolve: async () => ['127.0.0.1'] });
