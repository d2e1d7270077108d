// The http step as people write it, and its normalised form. What its expressions give is checked when it runs (src/executions/http-request.ts).
import { z } from 'zod';
import { isTemplateText } from '../expressions/template.ts';
import { checkHeaders, checkUrl, hostOf, isSafe, portOf } from '../outbound/request.ts';
import { knownKeys } from '../platform/problems.ts';
import { coversDestination, destinationText } from '../rules/destination.ts';
import type { ExpressionChecker, Report, Scene } from './definition-expressions.ts';
import { pathOf } from './definition-text.ts';
import { httpMethods, type HttpRequestDefinition } from './definition.ts';

/** Largest body of a response: what one step may give. */
export const maxResponseBytes = 1_048_576;
const expectedForm = 'a status code from 100 to 599, or a range such as "200-299"';

const rangePattern = /^([1-5]\d\d)-([1-5]\d\d)$/;
const statuses = z.union(
  [
    z
      .int({ error: () => expectedForm })
      .min(100, expectedForm)
      .max(599, expectedForm),
    z
      .string()
      .regex(rangePattern, expectedForm)
      .refine((text) => text.slice(0, 3) <= text.slice(4), expectedForm),
  ],
  { error: () => expectedForm },
);

const headerValue = z.union([z.string(), z.number(), z.boolean()], { error: () => 'a text; it may hold ${{ }}' });

export const httpSchema = knownKeys({
  method: z
    .enum(httpMethods)
    .default('GET')
    .describe('GET, HEAD and OPTIONS need the capability read, the others write. GET, HEAD, OPTIONS, PUT and DELETE may be sent twice.'),
  url: z.string().min(1, 'a URL').max(8_192).describe('http or https; its host must stand in spec.destinations. May hold ${{ }}.'),
  headers: z.record(z.string(), headerValue).default({}).describe('Values may hold ${{ }}; one that gives null is left out.'),
  body: z.unknown().optional().describe('Text is sent as it is, anything else as JSON. Strings may hold ${{ JSONata }}.'),
  expect: z
    .array(statuses)
    .min(1, `at least one: ${expectedForm}`)
    .max(20)
    .default(['200-299'])
    .describe('Statuses that count as success; any other fails the step with HTTP_STATUS.'),
  maxBytes: z
    .int({ error: () => `a whole number from 1 to ${maxResponseBytes}` })
    .min(1, `1 to ${maxResponseBytes}`)
    .max(maxResponseBytes, `1 to ${maxResponseBytes}`)
    .default(maxResponseBytes)
    .describe('Largest body of the response, after decompression; a larger one fails the step.'),
}).describe('Sends an HTTP request. Output: { status, headers, body }; body is parsed when it is JSON, else text.');

export type HttpDocument = z.output<typeof httpSchema>;

export interface HttpScene {
  readonly at: string;
  readonly expressions: ExpressionChecker;
  readonly scene: Scene;
  readonly report: Report;
}

export function httpOf(document: HttpDocument, { at, expressions, scene, report }: HttpScene): HttpRequestDefinition {
  const { method, url, headers, body, expect, maxBytes } = document;
  const inside = (key: string) => pathOf(at, key);
  const fixed = fixedPart(url);
  const checkedUrl = fixed === null ? null : checkUrl(fixed);
  if (checkedUrl?.ok === false) {
    report(inside('url'), checkedUrl.message.replace(/^url: /, ''), 'an http or https URL such as https://api.example.com/v1');
  }
  for (const [name, value] of Object.entries(headers)) {
    const text = String(value);
    const checked = checkHeaders({ [name]: isTemplateText(text) ? '' : text });
    if (!checked.ok) report(pathOf(inside('headers'), name), checked.message.replace(/^headers: /, ''), 'another header');
  }
  if (body !== undefined && ['GET', 'HEAD'].includes(method)) {
    report(inside('body'), `a ${method} request has no body`, 'another method, or no body');
  }
  return {
    method,
    url: expressions.template(url, inside('url'), scene),
    headers: expressions.template(headers, inside('headers'), scene),
    ...(body !== undefined && { body: expressions.template(body, inside('body'), scene) }),
    expect: expect.map(rangeOf),
    maxBytes,
  };
}

function rangeOf(status: number | string): [number, number] {
  if (typeof status === 'number') return [status, status];
  const [first = 0, last = 0] = status.split('-').map(Number);
  return [first, last];
}

/** What of a URL is known before it is evaluated, when that includes the whole host; else null. */
function fixedPart(url: string): string | null {
  return isTemplateText(url) ? (/^[^$]*?:\/\/[^/?#$]+(?=[/?#])/.exec(url)?.[0] ?? null) : url;
}

/** What the gate would refuse of every such request is refused when the definition is published. */
export function checkRequest(
  { method, url }: HttpRequestDefinition,
  at: string,
  { destinations, capabilities }: { readonly destinations: readonly string[]; readonly capabilities: Readonly<Record<string, unknown>> },
  report: Report,
): void {
  const capability = isSafe(method) ? 'read' : 'write';
  if (capabilities[capability] !== true) {
    report(pathOf(at, 'method'), `a ${method} request needs the capability ${capability}`, `spec.capabilities.${capability}: true`);
  }
  const fixed = fixedPart(String(url));
  const checked = fixed === null ? null : checkUrl(fixed);
  if (!checked?.ok) return;
  const scheme = checked.url.protocol === 'https:' ? 'https' : 'http';
  const destination = { scheme, host: hostOf(checked.url), port: portOf(checked.url) } as const;
  if (coversDestination(destinations, destination)) return;
  report(pathOf(at, 'url'), `${destinationText(destination)} is not listed in spec.destinations`, 'a host that the agent may reach');
}
