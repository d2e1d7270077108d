// What is dangerous in a script by its form rather than by a command of it. Pure; no I/O.
import { forEachChild, type SyntaxNode } from 'unbash';

/** Environment variables that make programs load or run something of the caller's choice. */
export const injects = (name: string): boolean =>
  /^(?:LD_PRELOAD|LD_AUDIT|DYLD_INSERT_LIBRARIES|BASH_ENV|PROMPT_COMMAND|GIT_SSH_COMMAND|PERL5OPT)$/.test(name);

/** Does it call itself in the background, or several times in one pipeline? */
export function isForkBomb(name: string, body: SyntaxNode): boolean {
  let isBomb = false;
  const callsIn = (node: SyntaxNode): number => {
    let calls = node.type === 'Command' && node.name?.value === name ? 1 : 0;
    forEachChild(node, (child) => void (calls += callsIn(child)));
    if (calls > 0 && node.type === 'Statement' && node.background) isBomb = true;
    if (calls > 1 && node.type === 'Pipeline') isBomb = true;
    return calls;
  };
  callsIn(body);
  return isBomb;
}
