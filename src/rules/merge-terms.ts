// Several policies ask for an approval of one effect: one request whose terms satisfy them all. Pure; no I/O.
import type { ApprovalStage, ApprovalTerms } from '../approvals/approval-terms.ts';
import { canonicalJson } from '../platform/canonical.ts';

/**
 * By priority of the policies: everybody's stages one after the other (the same people in the same number are asked once), whoever
 * is excluded by one is excluded, the soonest escalation, the earliest warning, the business hours of the first that has any.
 */
export function mergeTerms([first, ...others]: readonly ApprovalTerms[]): ApprovalTerms {
  if (!first) return { stages: [] };
  return others.reduce(both, first);
}

function both(a: ApprovalTerms, b: ApprovalTerms): ApprovalTerms {
  const known = new Set(a.stages.map(sameStage));
  const escalations = [a.escalation, b.escalation].flatMap((each) => each ?? []);
  const warnings = [a.warnBeforeMs, b.warnBeforeMs].flatMap((each) => each ?? []);
  const businessHours = a.businessHours ?? b.businessHours;
  const escalation = escalations.toSorted((one, other) => one.afterMs - other.afterMs)[0];
  return {
    stages: [...a.stages, ...b.stages.filter((stage) => !known.has(sameStage(stage)))],
    ...((a.excludeOwner || b.excludeOwner) && { excludeOwner: true }),
    ...(escalation && { escalation }),
    ...(warnings.length > 0 && { warnBeforeMs: Math.max(...warnings) }),
    ...(businessHours && { businessHours }),
  };
}

const sameStage = ({ approvers, quorum }: ApprovalStage): string =>
  canonicalJson({ approvers: approvers.map(canonicalJson).sort(), quorum });
