// Rules of `destination`: shape and limits. What they mean stands in destination-judge.ts.
import { z } from 'zod';
import { outboundMethods } from '../outbound/request.ts';
import { knownKeys } from '../platform/problems.ts';
import { canonicalHost, parseCidr } from './address.ts';
import { list, matchFields, maxPatternLength, messageField, ruleList, toolList } from './rule-fields.ts';

/** `*`, `*.` and a domain, or a host. */
export const hostPattern = z
  .string()
  .max(maxPatternLength)
  .refine(
    (pattern) => pattern === '*' || (canonicalHost(pattern.replace(/^\*\./, '')) !== null && !pattern.replace(/^\*\./, '').includes('*')),
    'must be a host such as api.example.com, *.example.com for every name below it, or *; no scheme, port or path, and no other *',
  )
  .meta({
    description:
      'A host, `*.example.com` for every name below a domain (not the domain itself), or `*`. Names of other scripts as people write them.',
  });
export const hostList = list(hostPattern, 'Hosts it is limited to; left out: all.');

const portField = z.union(
  [
    z.int().min(1).max(65_535),
    z.string().refine((text) => {
      const [, from, to] = /^(\d{1,5})-(\d{1,5})$/.exec(text) ?? [];
      return from !== undefined && to !== undefined && Number(from) >= 1 && Number(to) <= 65_535 && Number(from) <= Number(to);
    }),
  ],
  { error: 'must be a port from 1 to 65535, or a range such as "8000-8999"' },
);

export const destinationRule = knownKeys({
  effect: z.enum(['allow', 'deny']).meta({
    description:
      '`deny` refuses the requests the rule matches. `allow` rules of one policy are its allowlist: a request that none of them matches is refused. A matching `deny` wins over a matching `allow`.',
  }),
  hosts: hostList,
  addresses: list(
    z
      .string()
      .max(64)
      .refine((text) => parseCidr(text) !== null, 'must be an address or a range such as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32'),
    'Ranges in which the host lies when it is written as an address, in any spelling; a name is in none.',
  ),
  ports: list(portField, 'Ports, or ranges such as "8000-8999"; left out: all.'),
  schemes: list(z.enum(['http', 'https']), 'Left out: both.'),
  methods: list(z.enum(outboundMethods), 'Left out: all. Calls of network tools count as POST.'),
  tools: toolList,
  ...matchFields,
  message: messageField,
});
export type DestinationRule = z.output<typeof destinationRule>;

export const destinationRules = ruleList(
  destinationRule,
  'Where requests may go: those of http steps, calls of tools on servers of the tenant, and the URLs in arguments of network tools. Any matching `deny` rule refuses; when the policy has `allow` rules, what none of them matches is refused too.',
);
