// The building blocks of settings: what one is, and what a problem with it says. Which settings there are stands in config-schema.ts.
import ipaddr from 'ipaddr.js';
import { z } from 'zod';

export interface About {
  /** Environment variable that sets it; without one it can only stand in the YAML file. */
  readonly env?: string;
  readonly description: string;
  /** Its value is never shown. */
  readonly secret?: boolean;
}

/** Attaches what one needs to know of a setting; put on the outermost schema (after `.default`). */
export const setting = <Schema extends z.ZodType>(about: About, schema: Schema): Schema => schema.meta({ ...about });

export const expect = (expected: string) => ({ error: () => expected });

export function integer(min: number, max: number, unit = '') {
  const error = expect(`a whole number${unit && ` of ${unit}`} from ${min} to ${max}`);
  return z.int(error).min(min, error).max(max, error);
}

export const text = (expected: string) => z.string(expect(expected)).min(1, expect(expected));

export const oneOf = <const Values extends readonly string[]>(values: Values) => z.enum(values, expect(`one of ${values.join(', ')}`));

export function url(expected: string, allowed: (url: URL) => boolean) {
  const isAllowed = (value: string) => URL.canParse(value) && allowed(new URL(value));
  return z.string(expect(expected)).refine(isAllowed, expect(expected));
}

/** An object without unknown keys. */
export function group<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, { error: ({ code }) => (code === 'unrecognized_keys' ? `one of ${keys}` : `a mapping of ${keys}`) });
}

export const postgresUrl = () =>
  url('a URL such as postgres://user:password@host:5432/database', ({ protocol, pathname }) => {
    return ['postgres:', 'postgresql:'].includes(protocol) && pathname.length > 1;
  });

export const redisUrl = () =>
  url('a URL such as redis://user:password@host:6379/0, or rediss:// over TLS', ({ protocol, hostname, pathname }) => {
    return ['redis:', 'rediss:'].includes(protocol) && hostname !== '' && /^(\/\d*)?$/.test(pathname);
  });

export const httpUrl = () => url('an http or https URL', ({ protocol }) => ['http:', 'https:'].includes(protocol));

export const isLoopback = (host: string) => ['localhost', '127.0.0.1', '[::1]'].includes(host);

const networkForm = 'an address or network such as 10.1.0.0/16 or ::1';
const isNetwork = (value: string) => ipaddr.isValid(value) || ipaddr.isValidCIDR(value);
export const networks = () =>
  z.array(z.string(expect(networkForm)).refine(isNetwork, expect(networkForm)), expect(`a list, each ${networkForm}`));
