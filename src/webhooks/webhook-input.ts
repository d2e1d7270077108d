// What is wrong with the name of something that events are sent to, or with its URL. Pure.
import type { Problem } from '../platform/errors.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { checkUrl } from '../outbound/request.ts';

export function nameProblems(name: string, most: number): Problem[] {
  const length = name.trim().length === 0 ? 0 : name.length;
  if (length < 1 || length > most) {
    return [{ path: 'name', message: `must have 1 to ${most} characters, has ${length}` }];
  }
  return isStorableText(name) ? [] : [{ path: 'name', message: unstorableText }];
}

export function urlProblems(url: string): Problem[] {
  const checked = checkUrl(url);
  if (!checked.ok) return [{ path: 'url', message: checked.message.replace(/^url: /, '') }];
  return checked.url.hash === '' ? [] : [{ path: 'url', message: 'has a fragment (#), which is never sent' }];
}
