// What a principal may be called. No I/O.
import type { Problem } from '../platform/errors.ts';
import { namePattern } from '../tenants/tenant.ts';
import type { PrincipalKind } from './permission.ts';

export const maxPersonName = 200;
// Controls, line separators and the marks that reorder text: a name must look like what it is.
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A person's name as an identity provider gives it, made fit to store: printable, trimmed, at most 200 characters. */
export function personName(text: string): string {
  return [...text.replace(unprintable, ' ').trim()].slice(0, maxPersonName).join('') || 'unnamed';
}

/** People are called as they like; machines by a slug, since configuration refers to them. */
export function principalNameProblem(kind: PrincipalKind, name: string): Problem | null {
  if (kind !== 'user') {
    if (namePattern.test(name)) return null;
    return {
      path: 'name',
      message: `"${name.slice(0, 80)}" is not a name`,
      expected: 'a lower-case slug such as "ci-runner", at most 63 characters',
    };
  }
  if (name !== '' && name === personName(name)) return null;
  return {
    path: 'name',
    message: `"${name.slice(0, 80)}" is not a name`,
    expected: `1 to ${maxPersonName} printable characters without spaces around`,
  };
}
