// Which addresses may be reached: public unicast ones, and what the operator allows. Pure: no name is resolved here.
import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js'; // knows every special range of IPv4 and IPv6

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** What the operator opened, besides what is public. */
export interface AllowList {
  /** May this address be reached at this port, though it is not public? */
  allowsAddress(address: string, port: number): boolean;
  /** Is this name opened at this port, wherever it leads? Such names are resolved as the operating system does (hosts file included). */
  allowsName(name: string, port: number): boolean;
}

export const allowEntryForm = 'addresses and host:port, such as 10.1.0.0/16, ::1, 127.0.0.1:9000 or internal.example.com:8443';

/** Throws for an entry that `isAllowEntry` refuses. */
export function createAllowList(entries: readonly string[]): AllowList {
  const rules = entries.map((entry) => {
    const rule = parseEntry(entry);
    if (!rule) throw new Error(`outbound.allow: ${JSON.stringify(entry)} is not one of ${allowEntryForm}`);
    return rule;
  });
  return {
    allowsAddress(text, port) {
      const address = parseAddress(text);
      if (!address) return false;
      return rules.some((rule) => 'network' in rule && (rule.port ?? port) === port && contains(rule, address));
    },
    allowsName: (name, port) => rules.some((rule) => 'name' in rule && rule.name === name && rule.port === port),
  };
}

export const isAllowEntry = (entry: string): boolean => parseEntry(entry) !== null;

/** Why an address is refused, in a word for messages; null when it is public. */
export function refusedRange(text: string): string | null {
  const address = parseAddress(text);
  if (!address) return 'no address';
  if (isMetadata(address)) return 'cloud metadata';
  return address instanceof ipaddr.IPv6 ? refusedIPv6(address) : refusedIPv4(address);
}

type Rule = { readonly network: Address; readonly bits: number; readonly port?: number } | { readonly name: string; readonly port: number };

const namePattern = /^(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*$/;

function parseEntry(entry: string): Rule | null {
  const withPort = /^(?:\[([^\]]+)\]|([^:/]+)):(\d{1,5})$/.exec(entry);
  if (withPort) {
    const host = (withPort[1] ?? withPort[2]!).toLowerCase();
    const port = Number(withPort[3]);
    if (port < 1 || port > 65_535) return null;
    const network = parseAddress(host);
    if (network) return { network, bits: widthOf(network), port };
    // A number is never a name: 127.1 would otherwise be one.
    return namePattern.test(host) && !/(^|\.)(\d+|0x[0-9a-f]*)$/.test(host) ? { name: host, port } : null;
  }
  const [text, prefix, ...more] = entry.split('/');
  const network = parseAddress(text!);
  if (!network || more.length > 0) return null;
  const bits = prefix === undefined ? widthOf(network) : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  return bits >= 0 && bits <= widthOf(network) ? { network, bits } : null;
}

const widthOf = (address: Address): number => (address.kind() === 'ipv4' ? 32 : 128);

function contains({ network, bits }: { readonly network: Address; readonly bits: number }, address: Address): boolean {
  // A wide range was not written for the sake of the machine's own credentials: those have to be named.
  if (isMetadata(address) && bits < widthOf(network)) return false;
  return network.kind() === address.kind() && address.match(network, bits);
}

/** Strict: four decimal numbers, or IPv6 without a zone. IPv4 inside IPv6 ("mapped") is the IPv4 address it stands for. */
function parseAddress(text: string): Address | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (isIPv6(text) && !text.includes('%')) {
    // In the one form without dots: ipaddr.js takes ::1.2.3.4 for ::ffff:1.2.3.4.
    const address = ipaddr.IPv6.parse(new URL(`http://[${text}]`).hostname.slice(1, -1));
    return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
  }
  return null;
}

/** Where clouds tell a machine its credentials; most lie in refused ranges, Azure's looks public. */
const metadata = new Set([
  '169.254.169.254', // AWS, Google, Azure, DigitalOcean, OpenStack, Oracle
  '169.254.169.253', // AWS: name server
  '169.254.169.123', // AWS: time
  '169.254.170.2', // AWS: containers
  '169.254.170.23', // AWS: pods
  '169.254.0.23', // Tencent
  '168.63.129.16', // Azure: host
  '100.100.100.200', // Alibaba
  '192.0.0.192', // Oracle, older
  'fd00:ec2::254', // AWS
  'fd00:ec2::253',
  'fd00:ec2::23',
  'fd20:ce::254', // Google
]);
const isMetadata = (address: Address): boolean => metadata.has(address.toString());

function refusedIPv4(address: ipaddr.IPv4): string | null {
  const range = address.range();
  return range === 'unicast' ? null : inWords(range);
}

const global = ipaddr.IPv6.parseCIDR('2000::/3');
/** NAT64 (RFC 6052): how a network without IPv4 reaches IPv4. The other ways to embed an IPv4 address are refused altogether. */
const nat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

function refusedIPv6(address: ipaddr.IPv6): string | null {
  if (address.match(nat64)) {
    const inner = new ipaddr.IPv4(address.toByteArray().slice(12));
    return isMetadata(inner) ? 'cloud metadata' : refusedIPv4(inner);
  }
  const range = address.range();
  if (range !== 'unicast') return inWords(range);
  return address.match(global) ? null : 'reserved';
}

const words: Readonly<Record<string, string>> = {
  carrierGradeNat: 'carrier-grade NAT',
  linkLocal: 'link-local',
  uniqueLocal: 'private',
  deprecatedSiteLocal: 'private',
  '6to4': '6to4',
  teredo: 'Teredo',
  loopback: 'loopback',
  private: 'private',
  multicast: 'multicast',
  broadcast: 'broadcast',
  unspecified: 'unspecified',
};
const inWords = (range: string): string => words[range] ?? 'reserved';
