// Agents: statuses and the rules of their lives. Pure; no I/O.
import semver from 'semver';
import type { Problem } from '../platform/errors.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { environmentKinds, type EnvironmentKind } from '../tenants/tenant.ts';

export const agentStatuses = ['draft', 'active', 'paused', 'deprecated'] as const;
export type AgentStatus = (typeof agentStatuses)[number];

export const deploymentKinds = ['promote', 'rollback'] as const;
export type DeploymentKind = (typeof deploymentKinds)[number];

/** A semantic version exactly as semver.org 2.0.0 writes it: no `v`, no `=`, no blanks. */
export const isVersion = (text: string): boolean => /^\d\S*$/.test(text) && semver.parse(text) !== null;

/** Kinds of environment through which a version goes, in this order. */
export const promotionOrder = environmentKinds;

/** Where a version must have been before it goes to `kind`: the nearest lower kind that the project has, if any. */
export function kindBefore(kind: EnvironmentKind, present: readonly EnvironmentKind[]): EnvironmentKind | null {
  return promotionOrder.slice(0, promotionOrder.indexOf(kind)).findLast((lower) => present.includes(lower)) ?? null;
}

/** May an agent with so many versions be activated? */
export function activated(versions: number): { ok: true } | { ok: false; reason: string } {
  if (versions === 0) return { ok: false, reason: 'it has no version yet; publish one first' };
  return { ok: true };
}

/** Why an agent takes no new executions, or null. */
export function refusalToStart(agent: { readonly status: AgentStatus; readonly pauseReason: string | null }) {
  switch (agent.status) {
    case 'draft':
      return 'is a draft; activate it first';
    case 'paused':
      return `is paused: ${agent.pauseReason ?? 'no reason was given'}`;
    case 'deprecated':
      return 'is archived';
    case 'active':
      return null;
  }
}

export interface Deployed {
  readonly versionId: string;
  readonly kind: DeploymentKind;
}

/**
 * The version a rollback without a named one returns to: the one that was live before the live one was last promoted.
 * So two rollbacks in a row go two versions back. `history` is of one environment, newest first.
 */
export function versionBefore(history: readonly Deployed[]): string | null {
  const live = history[0]?.versionId;
  const promoted = history.findIndex(({ versionId, kind }) => versionId === live && kind === 'promote');
  return history.slice(promoted + 1).find(({ versionId }) => versionId !== live)?.versionId ?? null;
}

export const maxOwnerLength = 200;
export const maxReasonLength = 500;
export const maxTags = 50;
export const maxTagLength = 63;

export function textProblems(text: string, path: string, max: number, min = 0): Problem[] {
  const problems: Problem[] = [];
  if (text.trim().length < min) problems.push({ path, message: 'is empty', expected: 'a text' });
  if (text.length > max) problems.push({ path, message: `is ${text.length} characters long`, expected: `at most ${max} characters` });
  if (!isStorableText(text)) problems.push({ path, message: unstorableText });
  return problems;
}

export function tagProblems(tags: readonly string[]): Problem[] {
  const problems = tags.flatMap((tag, index) => textProblems(tag, `tags[${index}]`, maxTagLength, 1));
  if (tags.length > maxTags) problems.push({ path: 'tags', message: `there are ${tags.length} tags`, expected: `at most ${maxTags}` });
  if (new Set(tags).size < tags.length) problems.push({ path: 'tags', message: 'a tag is there twice', expected: 'each tag once' });
  return problems;
}
