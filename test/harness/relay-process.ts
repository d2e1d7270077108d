// A relay in a process of its own, to be killed.
import { createServices } from '#src/app.ts';
import { createRelay } from '#src/eventbus/relay.ts';
import { ormOptions } from '#src/orm.ts';
import { systemClock as clock } from '#src/platform/clock.ts';
import { openDatabase } from '#src/platform/database.ts';
import { createLogger } from '#src/platform/logger.ts';
import { createSealer } from '#src/platform/sealing.ts';
import { localOutbound as outbound } from './outbound.ts';

const [ownerUrl = '', appRole = '', leaseMs = ''] = process.argv.slice(2);
const logger = createLogger({ level: 'silent' });
const sealer = createSealer(Buffer.alloc(32));
const database = await openDatabase(ormOptions({ url: ownerUrl, actAs: appRole, poolMax: 5 }));
const { hints } = createServices({ clock, database, logger, remote: { outbound, sealer } });
const options = { connectionString: ownerUrl, sinks: [], pollMs: 50, leaseMs: Number(leaseMs) };
await createRelay({ clock, database, hints, outbound, sealer, logger, random: Math.random }, options).start();
process.send!('ready');
process.once('disconnect', () => process.exit());
