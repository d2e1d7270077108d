// The address of whoever sent a request: that of the connection, or, when it comes from a proxy that the operator trusts, the last address in
// X-Forwarded-For that is no such proxy's. Nothing else of that header is believed: any client can send one.
import type { IncomingMessage, Server } from 'node:http';
import ipaddr from 'ipaddr.js';

const peers = new WeakMap<object, string>();

/** Null when the connection is gone. */
export const peerOf = (request: Pick<IncomingMessage, 'socket'>): string | null =>
  peers.get(request) ?? request.socket.remoteAddress ?? null;

/** Requests and upgrades of this server are looked at before anybody asks. */
export function believeProxies(server: Server, trustedProxies: readonly string[]): void {
  if (trustedProxies.length === 0) return;
  const networks = trustedProxies.map(networkOf);
  const isTrusted = (text: string) => {
    const address = ipaddr.process(text);
    return networks.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
  };
  function look({ headers, socket }: IncomingMessage): string | undefined {
    const forwarded = String(headers['x-forwarded-for'] ?? '').split(',');
    let peer = socket.remoteAddress;
    while (peer !== undefined && isTrusted(peer)) {
      const before = forwarded.pop()?.trim() ?? '';
      if (!ipaddr.isValid(before)) break;
      peer = before;
    }
    return peer;
  }
  const note = (request: IncomingMessage) => {
    const peer = look(request);
    if (peer !== undefined) peers.set(request, peer);
  };
  server.prependListener('request', note).prependListener('upgrade', note);
}

function networkOf(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  return ipaddr.parseCIDR(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`);
}
