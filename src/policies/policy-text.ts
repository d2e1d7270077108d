// The text of a policy document → what `createPolicy` takes, with every problem at its line and column. Reads names, writes nothing.
import { parseDuration } from '../platform/duration.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { ValidationError, type Problem } from '../platform/errors.ts';
import type { Authority } from '../authority/permission.ts';
import { readPolicyDocument, type PolicyFileDocument } from './policy-document.ts';
import type { NewPolicy } from './policy-draft.ts';
import { scopesByName } from './policy-names.ts';

export interface ReadPolicy {
  /** Everything that a document can say, with its defaults; `enabled` only when it says so. */
  readonly policy: NewPolicy;
  /** Runs `work` and gives the problems it throws their places in the text. */
  located<Result>(work: () => Promise<Result>): Promise<Result>;
}

export async function readPolicy(uow: UnitOfWork, actor: Authority, text: string): Promise<ReadPolicy> {
  const read = readPolicyDocument(text);
  if (!read.ok) throw new ValidationError(read.problems);
  const { document } = read;
  const withPlaces = (problems: readonly Problem[]) =>
    new ValidationError(problems.map((each) => ({ ...read.locate(each.path), ...each })));
  const named = await scopesByName(uow, actor, [document.scope, ...document.attachments.map(({ scope }) => scope)]);
  if (!named.ok) throw withPlaces(named.problems);
  const [scope = {}, ...attached] = named.scopes;
  return {
    policy: { ...document, scope, attachments: attachmentsOf(document, attached), rollout: rolloutOf(document) },
    async located(work) {
      try {
        return await work();
      } catch (error) {
        throw error instanceof ValidationError ? withPlaces(error.problems) : error;
      }
    },
  };
}

const attachmentsOf = ({ attachments }: PolicyFileDocument, scopes: readonly NonNullable<NewPolicy['scope']>[]) =>
  attachments.map((attachment, index) => ({ ...attachment, scope: scopes[index] ?? {} }));

function rolloutOf({ rollout }: PolicyFileDocument): NewPolicy['rollout'] {
  if (!rollout) return null;
  const { window, ...rest } = rollout;
  return { ...rest, windowMs: window === undefined ? undefined : parseDuration(window) };
}
