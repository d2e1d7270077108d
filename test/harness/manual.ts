// What a page of docs/ shows, so that tests run exactly that.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** The blocks of a language under a heading of `docs/<page>`. */
export function blocksOf(page: string): (heading: string, language: string) => string[] {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  return (heading, language) => {
    const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
    assert.ok(section, `docs/${page} has no section "${heading}"`);
    return [...section.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, block]) => block!);
  };
}
