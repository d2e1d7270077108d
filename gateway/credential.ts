// Where a credential stands in a request: `Authorization: Bearer …`, over HTTP as a header, over WebSocket in connection_init.
import { UnauthenticatedError } from '#src/platform/errors.ts';

/** What follows `Bearer `. */
export function bearerOf(authorization: unknown): string {
  if (authorization === undefined || authorization === null || authorization === '') {
    throw new UnauthenticatedError('no credential: send an API key or token as "Authorization: Bearer …"');
  }
  const [, credential] = (typeof authorization === 'string' && /^Bearer +(\S+)$/i.exec(authorization)) || [];
  if (!credential) throw new UnauthenticatedError('the Authorization is not of the form "Bearer …"');
  return credential;
}

/** `connectionParams` of a WebSocket (`{ authorization: "Bearer …" }`), else the header of its upgrade request. */
export function bearerOfSocket(connectionParams: Readonly<Record<string, unknown>> | undefined, header: string | undefined): string {
  return bearerOf(connectionParams?.['authorization'] ?? connectionParams?.['Authorization'] ?? header);
}
