// WebSocket on /graphql (graphql-transport-ws): Origin on upgrade, limits per socket, the end of credentials, and leaving with a reason.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CloseCode, handleProtocols, makeServer } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Clock } from '#src/platform/clock.ts';
import { UnauthenticatedError } from '#src/platform/errors.ts';
import { addressOf } from './admission.ts';
import { bearerOfSocket } from './credential.ts';
import { expectedError, type GatewayLogger } from './errors.ts';
import { parseJson } from './json-body.ts';
import type { GatewayLimits } from './limits.ts';
import { OpenOperations } from './open-operations.ts';
import { Outlet, unsentBytesOf } from './outlet.ts';
import { answerRaw } from './raw-answer.ts';
import type { Sessions } from './session.ts';
import { createStrangers, IdleSockets, messageBudget } from './socket-limits.ts';
import { socketOperations, type SocketOperations, type SocketOperationsSettings, type SocketState } from './socket-operations.ts';

export interface SocketSettings extends SocketOperationsSettings {
  readonly sessions: Sessions;
  readonly clock: Clock;
  readonly limits: GatewayLimits;
  readonly allowedOrigins: readonly string[];
  readonly path: string;
  readonly logger: GatewayLogger;
  /** How often a silent peer is asked whether it is still there; milliseconds. */
  readonly pingMs: number;
}

export interface Sockets {
  /** For the HTTP server's `upgrade` event. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Closes every socket with 1001 and this reason; those that do not answer within `graceMs` are dropped. */
  close(reason: string, graceMs: number): Promise<void>;
  /** Of live streams, for each socket that is behind with reading. */
  queuedBytes(): readonly number[];
}

export function createSockets(settings: SocketSettings): Sockets {
  const { admission, sessions, clock, translate, limits, allowedOrigins, path, logger, pingMs } = settings;
  const sockets = new WebSocketServer({
    ...{ noServer: true, maxPayload: limits.wsMaxMessageBytes, handleProtocols, clientTracking: true },
    perMessageDeflate: false, // batches are written to the connection as they are, see `outletOf`
    autoPong: false, // see `heard`
  });
  const operations: SocketOperations = socketOperations(settings);
  const strangers = createStrangers(limits);
  const idle = new IdleSockets(limits.wsMaxIdlePerPrincipal, (socket, reason) => closeSocket(socket, tooManyIdle, reason));
  const outlets = new WeakMap<WebSocket, Outlet>();
  /** Asked whether they are still there, and have not answered. */
  const silent = new WeakSet<WebSocket>();
  let isClosing = false;

  const pinging = setInterval(() => {
    for (const socket of sockets.clients) {
      // One that is behind with reading has not come to the question yet; its outlet has an eye on it.
      if (silent.has(socket) && !outlets.get(socket)!.isBlocked) socket.terminate();
      silent.add(socket);
      if (socket.readyState === socket.OPEN) socket.ping();
    }
  }, pingMs).unref();

  const server = makeServer<Record<string, unknown>, SocketState>({
    connectionInitWaitTimeout: limits.wsInitTimeoutMs,
    ...operations,
    async onConnect({ connectionParams, extra }) {
      try {
        const authority = await admission.authenticate(bearerOfSocket(connectionParams, extra.authorization), addressOf(extra.request));
        if (extra.hasFlooded) admission.chargeFlood(authority, limits.wsMessageBurst);
        if (extra.socket.readyState !== extra.socket.OPEN) return false;
        admission.requireCredit(authority);
        extra.session = sessions.open(authority);
        extra.introduced();
        idle.add(principalOf(extra), extra.socket);
        extra.stopListening = extra.session.listen({
          // After the subscriptions, which hear of it at the same time, have sent their last message.
          ended: ({ message }) => void setImmediate(() => closeSocket(extra.socket, CloseCode.Forbidden, message)),
        });
        return true;
      } catch (error) {
        refuse(extra.socket, error);
        return false;
      }
    },
  });

  function refuse(socket: WebSocket, error: unknown): void {
    // 4401 tells clients not to try again; 4403, used when a credential ends later, that another one may help.
    if (error instanceof UnauthenticatedError) return closeSocket(socket, CloseCode.Unauthorized, error.message);
    const expected = expectedError(error);
    if (expected) return closeSocket(socket, tryAgainLater, expected.message);
    logger.error({ err: error }, 'a WebSocket could not be accepted');
    closeSocket(socket, CloseCode.InternalServerError, 'internal error');
  }

  function accept(socket: WebSocket, connection: Duplex, request: IncomingMessage): void {
    const outlet = outletOf(socket, connection, limits, logger);
    const introduced = strangers.take(addressOf(request));
    const { authorization } = request.headers;
    const open = new OpenOperations((isIdle) => {
      if (!isIdle) idle.delete(principalOf(state), socket);
      else if (socket.readyState === socket.OPEN) idle.add(principalOf(state), socket);
    });
    const state: SocketState = { socket, authorization, request, introduced, abort: new AbortController(), outlet, operations: open };
    const isTooMuch = messageBudget(limits, clock);

    /** Whether the peer may be listened to; closes the socket when not. */
    function heard(bytes: number): boolean {
      if (socket.readyState !== socket.OPEN) return false; // what comes after its end is only read
      const flood = isTooMuch(bytes, state.session === undefined);
      if (flood) {
        end(socket, tooManyMessages, flood, floodGraceMs);
        socket.pause(); // the rest of it is not even read
        if (state.session) admission.chargeFlood(state.session.authority, limits.wsMessageBurst);
        else state.hasFlooded = true;
        return false;
      }
      // Answers, which no queue holds: who asks without reading.
      const unread = socket.bufferedAmount - outlet.writingBytes;
      if (unread <= limits.streamQueueBytes) return true;
      outlet.giveUp(`${unread} bytes were not read (streamQueueBytes)`);
      return false;
    }

    const closed = server.opened(
      {
        protocol: socket.protocol,
        send: (data) =>
          new Promise((resolve, reject) => {
            if (socket.readyState !== socket.OPEN) return resolve();
            socket.send(data, (error) => (error && socket.readyState === socket.OPEN ? reject(error) : resolve()));
          }),
        close: (code, reason) => closeSocket(socket, code ?? 1000, reason ?? ''),
        onMessage(listener) {
          socket.on('message', (data: Buffer) => {
            if (!heard(data.length)) return;
            try {
              const message = parseJson(data);
              if (isComplete(message)) open.leave(message.id);
            } catch (error) {
              return closeSocket(socket, CloseCode.BadRequest, error instanceof Error ? error.message : 'the message is not JSON');
            }
            listener(String(data)).catch((error: unknown) => {
              logger.error({ err: error }, 'a WebSocket message could not be handled');
              closeSocket(socket, CloseCode.InternalServerError, 'internal error');
            });
          });
        },
      },
      state,
    );
    socket.on('ping', (data) => heard(data.length) && socket.pong(data));
    socket.on('pong', () => silent.delete(socket));
    outlets.set(socket, outlet);
    // Broken frames and messages that are too large; ws closes the socket with the right code itself.
    socket.on('error', (error) => logger.info({ reason: error.message }, 'a WebSocket broke'));
    socket.once('close', (code, reason) => {
      open.close();
      outlet.close();
      introduced();
      if (state.session) idle.delete(principalOf(state), socket);
      state.abort.abort();
      state.stopListening?.();
      closed(code, String(reason)).catch((error: unknown) => logger.error({ err: error }, 'a WebSocket could not be cleaned up'));
    });
  }

  return {
    upgrade(request, socket, head) {
      socket.on('error', () => socket.destroy());
      const refusal = refusalOf(request, { path, allowedOrigins, isClosing });
      if (refusal) return refuseUpgrade(socket, refusal);
      try {
        strangers.requirePlace(addressOf(request));
      } catch (error) {
        return answerRaw(socket, '429 Too Many Requests', translate(error), ['Retry-After: 10']);
      }
      sockets.handleUpgrade(request, socket, head, (opened) => accept(opened, socket, request));
    },
    queuedBytes: () => [...sockets.clients].flatMap((socket) => outlets.get(socket)?.queuedBytes || []),
    async close(reason, graceMs) {
      isClosing = true;
      const open = [...sockets.clients];
      const gone = open.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      for (const socket of open) closeSocket(socket, goingAway, reason);
      const timer = setTimeout(() => open.forEach((socket) => socket.terminate()), graceMs);
      await Promise.all(gone);
      clearTimeout(timer);
      clearInterval(pinging);
    },
  };
}

const isComplete = (message: unknown): message is { id: string } =>
  typeof message === 'object' &&
  message !== null &&
  'type' in message &&
  message.type === 'complete' &&
  'id' in message &&
  typeof message.id === 'string';

const principalOf = ({ session }: SocketState): string => `${session!.authority.tenantId}/${session!.authority.principalId}`;

const goingAway = 1001;
/** Clients may come again when they have something to ask. */
const tooManyIdle = 4410;
/** As HTTP's 429; clients of graphql-ws do not come again by themselves. */
const tooManyMessages = 4429;
const tryAgainLater = 1013;

/** A close frame holds at most 123 bytes of reason. */
function closeSocket(socket: WebSocket, code: number, reason: string): void {
  let text = reason;
  while (Buffer.byteLength(text) > 123) text = `${text.slice(0, -4).trimEnd()}…`;
  socket.close(code, text);
}

/** As `closeSocket`, for peers that may not come to read it: dropped after `graceMs`. */
function end(socket: WebSocket, code: number, reason: string, graceMs: number): void {
  closeSocket(socket, code, reason);
  setTimeout(() => socket.terminate(), graceMs).unref();
}

interface Refusal {
  readonly status: string;
  readonly code: string;
  readonly message: string;
}

function refusalOf(
  { url, headers: { origin, host } }: IncomingMessage,
  { path, allowedOrigins, isClosing }: { path: string; allowedOrigins: readonly string[]; isClosing: boolean },
): Refusal | null {
  if (isClosing) return { status: '503 Service Unavailable', code: 'UNAVAILABLE', message: 'this server is shutting down' };
  if (url?.split('?')[0] !== path) return { status: '404 Not Found', code: 'NOT_FOUND', message: `WebSockets are served at ${path}` };
  // Browsers always send Origin, and let any page open a WebSocket anywhere: this check is what stops foreign pages.
  const isOwn = origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
  if (isOwn || allowedOrigins.includes(origin)) return null;
  return {
    status: '403 Forbidden',
    code: 'FORBIDDEN',
    message: `the origin ${JSON.stringify(origin.slice(0, 200))} may not connect; the operator can allow it (http.allowedOrigins)`,
  };
}

const refuseUpgrade = (socket: Duplex, { status, code, message }: Refusal): void =>
  answerRaw(socket, status, { message, extensions: { code } });

/** Whoever sends too much has this long to hear why; milliseconds. */
const floodGraceMs = 1_000;
/** A peer that reads too slowly has this long to take what it is told last; milliseconds. */
const slowGraceMs = 5_000;

function outletOf(
  socket: WebSocket,
  connection: Duplex,
  { streamQueueBytes, streamStallMs }: GatewayLimits,
  logger: GatewayLogger,
): Outlet {
  const pipe = {
    get bufferedBytes() {
      return connection.writableLength;
    },
    get unsentBytes() {
      return unsentBytesOf(connection);
    },
    // A whole frame at once, past the library, which would make it anew for each socket and write it in two pieces.
    write(frame: Buffer, flushed?: () => void) {
      if (socket.readyState === socket.OPEN) connection.write(frame, flushed);
    },
  };
  return new Outlet(pipe, { queueBytes: streamQueueBytes, stallMs: streamStallMs }, (reason) => {
    logger.info({ reason }, 'a peer reads too slowly');
    // After its subscriptions have sent their last message.
    setImmediate(() => end(socket, tryAgainLater, `SLOW_CONSUMER: ${reason}`, slowGraceMs));
  });
}
