// The http step of a definition: what is accepted, what it becomes, and what is refused before it could ever run.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseDefinition } from '#src/agents/definition-parse.ts';
import type { StepDefinition } from '#src/agents/definition.ts';

interface Spec {
  readonly destinations?: readonly string[];
  readonly capabilities?: Readonly<Record<string, boolean>>;
}

const parse = (step: object, { destinations = ['api.example.com'], capabilities = { read: true, write: true } }: Spec = {}) =>
  parseDefinition(
    JSON.stringify({
      apiVersion: 'signalbox/v1',
      kind: 'Agent',
      metadata: { name: 'demo' },
      spec: {
        version: '1.0.0',
        destinations,
        capabilities,
        steps: [
          { id: 'first', transform: '1' },
          { id: 'call', ...step },
        ],
      },
    }),
  );

function accepted(step: object, spec?: Spec): StepDefinition {
  const parsed = parse(step, spec);
  assert.ok(parsed.ok, parsed.ok ? '' : JSON.stringify(parsed.problems, null, 2));
  return parsed.definition.steps[1]!;
}

/** `path: message (expected)` of each problem, without the path of the step. */
function refused(step: object, spec?: Spec): string[] {
  const parsed = parse(step, spec);
  assert.ok(!parsed.ok, 'the definition was accepted');
  return parsed.problems.map(({ path, message, expected }) => `${path.replace('spec.steps[1].', '')}: ${message} (${expected})`);
}

it('a request has defaults, and waits for the steps that its templates name', () => {
  const { kind, http, needs, timeoutMs } = accepted({ http: { url: 'https://api.example.com/v1' } });
  assert.deepEqual([kind, needs, timeoutMs], ['http', [], 60_000]);
  assert.deepEqual(http, { method: 'GET', url: 'https://api.example.com/v1', headers: {}, expect: [[200, 299]], maxBytes: 1_048_576 });
  const full = accepted({
    forEach: '[1,2]',
    retry: { maxAttempts: 2 },
    timeout: '5s',
    when: 'true',
    http: {
      method: 'POST',
      url: 'https://api.example.com/${{ item }}',
      headers: { 'X-Count': 3, 'X-Step': '${{ steps.first.output }}' },
      body: { deep: ['${{ index }}', true] },
      expect: [201, '300-399', 404],
      maxBytes: 1,
    },
  });
  assert.deepEqual(full.needs, ['first']);
  assert.deepEqual(full.http, {
    method: 'POST',
    url: 'https://api.example.com/${{ item }}',
    headers: { 'X-Count': 3, 'X-Step': '${{ steps.first.output }}' },
    body: { deep: ['${{ index }}', true] },
    expect: [
      [201, 201],
      [300, 399],
      [404, 404],
    ],
    maxBytes: 1,
  });
});

it('the structure is checked: unknown keys, methods, statuses, sizes', () => {
  const url = 'https://api.example.com/';
  const cases: [http: unknown, problem: RegExp][] = [
    [{}, /^http\.url: is required/],
    ['https://api.example.com', /^http: .* is not accepted \(.*object\)/],
    [{ url, verb: 'GET' }, /^http\.verb: unknown key/],
    [{ url, method: 'TRACE' }, /^http\.method: "TRACE" is not accepted/],
    [{ url: `${url}${'a'.repeat(8_192)}` }, /^http\.url/],
    [{ url, headers: { 'X-List': ['a'] } }, /^http\.headers\.X-List/],
    [{ url, expect: [] }, /^http\.expect: a list of 0 is not accepted \(at least one/],
    [{ url, expect: [99] }, /^http\.expect\[0\]: 99 is not accepted \(a status code from 100 to 599/],
    [{ url, expect: ['299-200'] }, /^http\.expect\[0\]: "299-200" is not accepted/],
    [{ url, expect: ['2xx'] }, /^http\.expect\[0\]: "2xx" is not accepted/],
    [{ url, maxBytes: 0 }, /^http\.maxBytes: 0 is not accepted/],
    [{ url, maxBytes: 1_048_577 }, /^http\.maxBytes: 1048577 is not accepted \(1 to 1048576\)/],
  ];
  for (const [http, problem] of cases) {
    const found = refused({ http });
    assert.ok(
      found.some((text) => problem.test(text)),
      `${problem} in ${found.join('\n')}`,
    );
  }
  assert.match(refused({ http: { url }, tool: 'files.read' }).join('\n'), /several kinds: tool, http/);
  assert.match(refused({ http: { url }, with: {} }).join('\n'), /with has no effect on a http step/);
});

it('what could never be sent is refused: URLs, headers, bodies that GET has not', () => {
  const bad: [http: object, problem: RegExp][] = [
    [{ url: 'api.example.com/v1' }, /^http\.url: not an absolute URL/],
    [{ url: 'ftp://api.example.com/${{ inputs.x }}' }, /^http\.url: the scheme is ftp:/],
    [{ url: 'https://user:secret@api.example.com/' }, /^http\.url: holds a user or password/],
    [{ url: 'https://api.example.com/\n' }, /^http\.url: holds a control character/],
    [{ url: 'https://api.example.com/', headers: { 'X y': 'a' } }, /^http\.headers\.X y: "X y" is not a header name/],
    [{ url: 'https://api.example.com/', headers: { Host: 'other' } }, /^http\.headers\.Host: "Host" is set by Signalbox itself/],
    [
      { url: 'https://api.example.com/', headers: { A: 'a\r\nB: b' } },
      /^http\.headers\.A: "A" holds a character that a header cannot carry/,
    ],
    [{ url: 'https://api.example.com/', body: 'x' }, /^http\.body: a GET request has no body/],
    [{ url: 'https://api.example.com/${{ steps.zz.output }}' }, /there is no step "zz"/],
    [{ url: 'https://api.example.com/${{ item }}' }, /item is known only/],
    [{ url: 'https://api.example.com/', headers: { A: '${{ 1 + }}' } }, /^http\.headers\.A/],
  ];
  for (const [http, problem] of bad) {
    const found = refused({ http });
    assert.ok(
      found.some((text) => problem.test(text)),
      `${problem} in ${found.join('\n')}`,
    );
    assert.doesNotMatch(found.join('\n'), /secret/);
  }
});

it('a request that the gate would always refuse is refused when it is published', () => {
  const http = { url: 'https://api.example.com:8443/v1' };
  assert.deepEqual(refused({ http }), [
    'http.url: api.example.com:8443 is not listed in spec.destinations (a host that the agent may reach)',
  ]);
  accepted({ http }, { destinations: ['API.example.com:8443'] });
  accepted({ http: { url: 'https://deep.api.example.com/${{ inputs.x }}' } }, { destinations: ['*.example.com'] });
  for (const url of [
    'https://example.com/',
    'https://evilexample.com/',
    'http://a.example.com:8080/',
    'https://example.com.evil.test/${{ inputs.x }}',
  ]) {
    assert.match(refused({ http: { url } }, { destinations: ['*.example.com'] }).join('\n'), /is not listed in spec\.destinations/, url);
  }
  const read = { capabilities: { read: true } };
  accepted({ http: { method: 'HEAD', url: 'https://api.example.com/' } }, read);
  assert.deepEqual(refused({ http: { method: 'DELETE', url: 'https://api.example.com/' } }, read), [
    'http.method: a DELETE request needs the capability write (spec.capabilities.write: true)',
  ]);
  assert.match(
    refused({ http: { url: 'https://api.example.com/' } }, { capabilities: {} }).join('\n'),
    /a GET request needs the capability read/,
  );
});

it('a host that an expression gives is left to the gate', () => {
  for (const url of [
    '${{ inputs.url }}',
    'https://${{ inputs.host }}/',
    'https://api.example.com${{ inputs.rest }}',
    'https://api.example.com:${{ inputs.port }}/',
  ]) {
    accepted({ http: { url } }, { destinations: [] });
  }
});
