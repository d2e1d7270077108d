// What is wrong with the settings of an event sink: every problem at once, and places that are not there.
import type { UnitOfWork } from '../platform/database.ts';
import { NotFoundError, ValidationError, type Problem } from '../platform/errors.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { nameProblems, urlProblems } from '../webhooks/webhook-input.ts';
import { sinkLimits } from './event-sink.ts';

export interface GivenSettings {
  readonly name?: string;
  readonly url?: string;
  readonly maxAttempts?: number;
  readonly maxAgeSeconds?: number;
  readonly reason?: string;
}

export function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new ValidationError(problems);
}

export function sinkProblems({ name, url, maxAttempts, maxAgeSeconds, reason }: GivenSettings): Problem[] {
  return [
    ...(name === undefined ? [] : nameProblems(name, sinkLimits.nameLength)),
    ...(url === undefined ? [] : urlProblems(url)),
    ...(maxAttempts === undefined ? [] : rangeProblems('maxAttempts', maxAttempts, 1, sinkLimits.maxAttempts)),
    ...(maxAgeSeconds === undefined
      ? []
      : rangeProblems('maxAgeSeconds', maxAgeSeconds, sinkLimits.minAgeSeconds, sinkLimits.maxAgeSeconds)),
    ...(reason === undefined ? [] : reasonProblems(reason)),
  ];
}

function rangeProblems(path: string, value: number, least: number, most: number): Problem[] {
  return value >= least && value <= most ? [] : [{ path, message: `must be between ${least} and ${most}, got ${value}` }];
}

function reasonProblems(reason: string): Problem[] {
  if (!isStorableText(reason)) return [{ path: 'reason', message: unstorableText }];
  if (reason.length <= sinkLimits.reasonLength) return [];
  return [{ path: 'reason', message: `must have at most ${sinkLimits.reasonLength} characters, has ${reason.length}` }];
}

/** Absent and foreign ones get the same answer. */
export async function requirePlaces(uow: UnitOfWork, projectId: string | null, environmentId: string | null): Promise<void> {
  if (projectId === null && environmentId === null) return;
  const [found] = await uow.rows<{ project: boolean; environment: boolean; inside: boolean }>(
    `select exists (select from projects where tenant_id = $1 and id = $2) as project,
       exists (select from environments where tenant_id = $1 and id = $3) as environment,
       exists (select from environments where tenant_id = $1 and id = $3 and project_id = $2) as inside`,
    [uow.tenantId, projectId, environmentId],
  );
  const { project, environment, inside } = found!;
  if (projectId !== null && !project) throw new NotFoundError(`there is no project "${projectId}"`);
  if (environmentId !== null && !environment) throw new NotFoundError(`there is no environment "${environmentId}"`);
  if (projectId === null || environmentId === null || inside) return;
  refuse([
    {
      path: 'environmentId',
      message: 'is not in the project, so that nothing would ever be sent',
      expected: 'an environment of the project, or no project',
    },
  ]);
}
