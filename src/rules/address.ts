// Hosts and addresses as policies compare them: one spelling for each, whatever was written. Pure: no name is resolved here.
import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
export interface AddressRange {
  readonly network: Address;
  readonly bits: number;
}

/** What is in its one spelling already, as most hosts are: the last label begins with a letter, so that it is no number of any form. */
const usualName = /^(?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*$/;

/** Lower case, ASCII, no final dot, no brackets; decimal, octal and hexadecimal IPv4 as four numbers; IPv4 in IPv6 as IPv4. Null for what is no host. */
export function canonicalHost(host: string): string | null {
  if (usualName.test(host) && !host.includes('xn--')) return host;
  const bare = host.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  if (bare === '' || /[/@?#\\\s]/.test(bare)) return null;
  if (bare.includes(':') && !isIPv6(bare)) return null;
  const url = URL.parse(isIPv6(bare) ? `http://[${bare}]/` : `http://${bare}/`);
  if (!url || url.port !== '' || url.hostname === '') return null;
  const name = url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  return parseAddress(name)?.toString() ?? name;
}

/** Of the one spelling: see `canonicalHost`. */
export function parseAddress(text: string): Address | null {
  if (isIPv4(text)) return ipaddr.IPv4.parse(text);
  if (!isIPv6(text) || text.includes('%')) return null;
  const address = ipaddr.IPv6.parse(new URL(`http://[${text}]`).hostname.slice(1, -1));
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

export function parseCidr(text: string): AddressRange | null {
  const [written = '', prefix, ...more] = text.split('/');
  const network = parseAddress(written);
  if (!network || more.length > 0) return null;
  const width = network.kind() === 'ipv4' ? 32 : 128;
  // ::ffff:10.0.0.0/104 is 10.0.0.0/8.
  const mapped = network.kind() === 'ipv4' && written.includes(':') ? 96 : 0;
  if (prefix === undefined) return { network, bits: width };
  const bits = /^\d{1,3}$/.test(prefix) ? Number(prefix) - mapped : -1;
  return bits >= 0 && bits <= width ? { network, bits } : null;
}

export const contains = ({ network, bits }: AddressRange, address: Address): boolean =>
  network.kind() === address.kind() && address.match(network, bits);
