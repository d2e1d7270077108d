// What a principal may be called and bound to. No I/O.
import type { Problem } from '../platform/errors.ts';
import { nameProblems } from '../tenants/tenant.ts';
import type { PrincipalKind } from '../authority/permission.ts';

export const maxPersonName = 200;
// Controls, line separators and the marks that reorder text: a name must look like what it is.
// The two joiners belong to the spelling of some languages.
const unprintable = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Free text made fit to show as a name: printable, trimmed, at most 200 characters. */
export function personName(text: string): string {
  const printable = text.toWellFormed().replace(unprintable, ' ').trim();
  return Array.from(printable).slice(0, maxPersonName).join('').trim() || 'unnamed';
}

export function printableProblems(text: string, path: string): Problem[] {
  if (text === personName(text)) return [];
  return [
    {
      path,
      message: `${JSON.stringify(text.slice(0, 80))} is not a name`,
      expected: `1 to ${maxPersonName} printable characters, no spaces around`,
    },
  ];
}

/** People are called as they like; machines by a slug, since configuration refers to them. */
export const principalNameProblems = (kind: PrincipalKind, name: string): Problem[] =>
  kind === 'user' ? printableProblems(name, 'name') : nameProblems(name);

export function emailProblems(email: string | null): Problem[] {
  if (email === null || (/^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(email) && email.length <= 254)) return [];
  return [
    {
      path: 'email',
      message: `${JSON.stringify(email.slice(0, 80))} is not an e-mail address`,
      expected: 'an address such as "ada@example.com"',
    },
  ];
}

/** OpenID Connect Core 1.0, section 2. */
export const subjectForm = /^[^\p{Cc}]{1,255}$/u;

export function subjectProblems(kind: PrincipalKind, issuer: string | null, subject: string | null): Problem[] {
  if (issuer === null && subject === null) return [];
  if (issuer === null || subject === null) {
    return [{ path: issuer === null ? 'issuer' : 'subject', message: 'is missing', expected: 'both issuer and subject, or neither' }];
  }
  const problems: Problem[] = [];
  if (kind !== 'user')
    problems.push({ path: 'subject', message: `a ${kind} does not sign in with tokens`, expected: 'kind user, or an API key' });
  if (!URL.canParse(issuer) || issuer.length > 500) {
    problems.push({
      path: 'issuer',
      message: `${JSON.stringify(issuer.slice(0, 80))} is not an issuer`,
      expected: 'a URL of at most 500 characters',
    });
  }
  if (!subjectForm.test(subject)) {
    problems.push({
      path: 'subject',
      message: `${JSON.stringify(subject.slice(0, 80))} is not a subject`,
      expected: '1 to 255 printable characters',
    });
  }
  return problems;
}
