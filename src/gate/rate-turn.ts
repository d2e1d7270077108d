// Rate limits at the gate: counters are read before an effect is judged, and count, keep a place or give it back after it.
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import type { DecisionReference } from '../decisions/decision-store.ts';
import type { GateInput, GateVerdict } from '../rules/gate.ts';
import type { RateDemand } from '../rules/judge.ts';
import { countRates, forgetOld, giveBackRates, readRates, reserveRates, type RateHolder } from './rate-store.ts';

export interface RateTurn {
  /** For `GateInput.rates`. */
  readonly facts: NonNullable<GateInput['rates']>;
  /** After the verdict: what runs counts, what is put off has its place, what is refused gives it back. An approval has to come first. */
  settle(verdict: GateVerdict): void;
  /** It runs, or waits in line, as an approval that was asked for is there. */
  go(verdict: GateVerdict): void;
}

/** Null where no rate limit counts it: nothing is read then. */
export async function readTurn(
  uow: UnitOfWork,
  demands: readonly RateDemand[],
  holder: RateHolder,
  at: Date,
  time: Clock | null,
): Promise<RateTurn | null> {
  if (demands.length === 0) return null;
  const readings = await readRates(uow, demands, holder, at, time);
  const go = (verdict: GateVerdict) => {
    if (momentOf(verdict) === null) {
      countRates(uow, readings, holder.executionId);
      return forgetOld(uow, readings);
    }
    const queued = new Set(putOff(verdict).flatMap(({ effect, policyId }) => (effect === 'queue' ? [policyId] : [])));
    const waiting = readings.filter(({ demand }) => queued.has(demand.policyId));
    reserveRates(uow, waiting, holder);
  };
  return {
    facts: Object.fromEntries(readings.map(({ demand, fact }) => [demand.policyId, fact])),
    go,
    settle(verdict) {
      if (verdict.effect === 'deny') giveBackRates(uow, readings);
      else if (verdict.effect !== 'require_approval') go(verdict);
    },
  };
}

export const holderOf = ({ executionId, stepId, itemIndex }: DecisionReference, holder?: string): RateHolder => ({
  executionId,
  slot: holder ?? (stepId === null ? '' : `${stepId}#${itemIndex ?? -1}`),
});

const putOff = ({ findings }: GateVerdict) =>
  findings.filter(({ mode, effect }) => mode === 'enforce' && (effect === 'delay' || effect === 'queue'));

/** The latest moment until which policies put it off, approval or not. */
export function momentOf(verdict: GateVerdict): Date | null {
  const moments = putOff(verdict).flatMap(({ notBefore }) => (notBefore === undefined ? [] : [Date.parse(notBefore)]));
  return moments.length === 0 ? null : new Date(Math.max(...moments));
}
