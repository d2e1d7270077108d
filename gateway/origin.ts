// Where a request came from, as it is recorded with what it changes.
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { shownUserAgent, traceIdOf, type Origin } from '#src/audit/audit.ts';
import { peerOf } from './peer.ts';

/** Each operation has a trace id of its own, unless the caller names one. */
export function originOf(request: Pick<IncomingMessage, 'headers' | 'socket'>): Origin {
  const { 'user-agent': agent, traceparent } = request.headers;
  return {
    address: peerOf(request),
    userAgent: agent === undefined ? null : shownUserAgent(agent),
    traceId: (typeof traceparent === 'string' ? traceIdOf(traceparent) : null) ?? randomBytes(16).toString('hex'),
  };
}
