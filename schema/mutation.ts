// Mutations in one shape: `input: XInput!`, answer `union XResult = XSuccess | errors`. Opens the write transaction around the service call
// and, in it, records who changed what: the one place where audit events come from.
import type { InputRef, ShapeFromTypeParam, TypeParam } from '@pothos/core';
import type { Services } from '#src/app.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { ForbiddenError, NotFoundError, SignalboxError, ValidationError } from '#src/platform/errors.ts';
import type { Authority, Permission } from '#src/authority/permission.ts';
import { builder, type Types } from './builder.ts';
import { beginAudit, subjectsOf, type Subjects } from './mutation-audit.ts';

/** One field of the success type. */
interface Returned {
  readonly type: TypeParam<Types>;
  readonly description: string;
  readonly nullable?: boolean;
}
type ReturnedShape<Fields extends Record<string, Returned>> = {
  readonly [Name in keyof Fields]: ShapeFromTypeParam<Types, Fields[Name]['type'], Fields[Name]['nullable'] extends true ? true : false>;
};

/** What there is before the transaction. */
export interface Edge {
  readonly actor: Authority;
  /** A short transaction of its own, READ ONLY. */
  read<T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T>;
}

export interface MutationOptions<Input, Fields extends Record<string, Returned>, Prepared = undefined> {
  readonly description: string;
  /** Held anywhere; the service checks the exact place. `authenticated` for what concerns only the caller. */
  readonly permission: Permission | 'authenticated';
  readonly input: InputRef<Input>;
  readonly returns: Fields;
  /** Expected failures besides ValidationError, NotFoundError and ForbiddenError. */
  readonly fails?: readonly (new (...args: never[]) => SignalboxError)[];
  /** What changes, where that is not the first thing returned, or the input does not name it by its id. */
  readonly audits?: Subjects<Input>;
  /** Which tenant the transaction is one of, where that is not the caller's: only for the operator's verbs. */
  inTenant?(input: Input): string;
  /** Runs before the transaction is opened, for what takes long (a call to the outside); its result is given to `resolve`. */
  prepare?: (services: Services, edge: Edge, input: Input) => Promise<Prepared>;
  /**
   * After `resolve` failed in a way that nobody expects, and changed nothing: gives the answer instead, in a transaction of its own.
   * For what must be answered and recorded even then.
   */
  recover?: (services: Services, uow: UnitOfWork, actor: Authority, input: Input, cause: unknown) => Promise<ReturnedShape<Fields>>;
  /** Runs in one transaction, committed when it resolves. */
  resolve(services: Services, uow: UnitOfWork, actor: Authority, input: Input, prepared: Prepared): Promise<ReturnedShape<Fields>>;
}

/** Of an object type; null for a scalar or a list. */
const nameOf = (type: TypeParam<Types>): string | null =>
  typeof type === 'object' && !Array.isArray(type) && 'name' in type ? String(type.name) : null;

const titled = (name: string) => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;

export function mutation<Input, const Fields extends Record<string, Returned>, Prepared = undefined>(
  name: string,
  options: MutationOptions<Input, Fields, Prepared>,
): void {
  const { description, permission, input, returns, fails = [], audits, inTenant, prepare, recover, resolve } = options;
  const [field, first] = Object.entries(returns)[0]!;
  const audited = { action: name, subjects: audits ?? subjectsOf<Input>(nameOf(first.type), field) };
  const Success = builder.objectRef<ReturnedShape<Fields>>(`${titled(name)}Success`).implement({
    description: `What \`${name}\` did.`,
    fields: (t) =>
      Object.fromEntries(
        Object.entries(returns).map(([field, { type, nullable = false, description: text }]) => [
          field,
          t.field({ type, nullable, description: text, resolve: (result) => result[field] as never }),
        ]),
      ),
  });
  builder.mutationField(name, (t) =>
    t.field({
      type: Success,
      description,
      extensions: { audited: true },
      authScopes: permission === 'authenticated' ? { authenticated: true } : { permission },
      args: { input: t.arg({ type: input, required: true, description: `Input of \`${name}\`.` }) },
      errors: {
        types: [...new Set([ValidationError, NotFoundError, ForbiddenError, ...fails])],
        directResult: true,
        union: { description: `\`${titled(name)}Success\`, or why \`${name}\` was refused.` },
      },
      resolve(_root, args, { services, authority, origin, read, write, writeTenant }) {
        // `input` is required, which TypeScript cannot see through the open type parameter.
        const given = (args as { input: Input }).input;
        const run = async () => {
          const prepared = (await prepare?.(services, { actor: authority, read }, given)) as Prepared;
          const recorded = (answer: (uow: UnitOfWork) => Promise<ReturnedShape<Fields>>) => async (uow: UnitOfWork) => {
            const record = await beginAudit(services, uow, authority, audited, given);
            const result = await answer(uow);
            await record(result, origin);
            return result;
          };
          const work = recorded((uow) => resolve(services, uow, authority, given, prepared));
          if (inTenant) return writeTenant(inTenant(given), work);
          if (!recover) return write(work);
          return write(work).catch((error: unknown) => {
            if (error instanceof SignalboxError) throw error;
            return write(recorded((uow) => recover(services, uow, authority, given, error)));
          });
        };
        return run() as never;
      },
    }),
  );
}
