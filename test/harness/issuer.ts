// A real OpenID Connect issuer (`oidc-provider`) on loopback: discovery, keys, tokens by client credentials, and a key that rotates.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';
import Provider from 'oidc-provider';

export interface TestIssuer {
  readonly url: string;
  /** How often its key set was read. */
  keyReads(): number;
  /** A token that the issuer's token endpoint gives to the client `subject`, with these extra claims. */
  token(subject: string, claims: JWTPayload, audience?: string): Promise<string>;
  /** Signs with a new key from now on; the old one is no longer published. */
  rotate(): Promise<void>;
  /** While on, it answers everything with 503. */
  outage(on: boolean): void;
  /** The present key, to forge with. */
  key(): { readonly privateKey: CryptoKey; readonly publicJwk: JWK };
  /** A token made by hand: right in all but what the test changes. */
  forge(claims: JWTPayload, header?: { alg?: string; kid?: string }, key?: CryptoKey | Uint8Array): Promise<string>;
  close(): Promise<void>;
}

export const audience = 'https://signalbox.test';
const subjects = ['ada', 'grace', 'linus', 'margaret'];

export async function startIssuer(): Promise<TestIssuer> {
  let keyReads = 0;
  let down = false;
  let keys = 0;
  let current: { privateKey: CryptoKey; publicJwk: JWK };
  let handle: ReturnType<Provider['callback']>;
  let claims: JWTPayload = {};
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/jwks')) keyReads += 1;
    if (down) response.writeHead(503).end();
    else handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function rotate(): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    keys += 1;
    const name = { kid: `key-${keys}`, alg: 'RS256', use: 'sig' };
    current = { privateKey, publicJwk: { ...(await exportJWK(publicKey)), ...name } };
    const provider = new Provider(url, {
      jwks: { keys: [{ ...(await exportJWK(privateKey)), ...name }] },
      cookies: { keys: ['only for tests'] },
      clients: subjects.map((client_id) => ({
        client_id,
        client_secret: 'only for tests',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      })),
      ttl: { ClientCredentials: 600 },
      extraTokenClaims: () => claims,
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (_context: unknown, resource: string) => ({
            scope: '',
            audience: resource,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'RS256' } },
          }),
        },
      },
    });
    handle = provider.callback();
  }
  await rotate();

  return {
    url,
    keyReads: () => keyReads,
    rotate,
    outage(on) {
      down = on;
    },
    key: () => current,
    async token(subject, extra, resource = audience) {
      claims = extra;
      const response = await fetch(`${url}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${subject}:${encodeURIComponent('only for tests')}`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
      });
      const answer = (await response.json()) as { access_token?: string };
      if (!answer.access_token) throw new Error(`the issuer refused: ${JSON.stringify(answer)}`);
      return answer.access_token;
    },
    forge: (payload, header = {}, key = current.privateKey) =>
      new SignJWT({ iss: url, aud: audience, sub: 'ada', exp: Math.floor(Date.now() / 1000) + 600, ...payload })
        .setProtectedHeader({ alg: 'RS256', kid: `key-${keys}`, ...header })
        .sign(key),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
