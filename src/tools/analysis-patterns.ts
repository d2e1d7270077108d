// What is dangerous in a script by its form rather than by a command of it. Pure; no I/O.
import { forEachChild, type SyntaxNode } from 'unbash';

/** Variables that make programs load or run something of the caller's choice. */
const injecting =
  /^(?:LD_PRELOAD|LD_AUDIT|DYLD_INSERT_LIBRARIES|BASH_ENV|PROMPT_COMMAND|GIT_SSH_COMMAND|GIT_EXEC_PATH|GIT_TEMPLATE_DIR|PERL5OPT|PYTHONSTARTUP)$/;
/** Lists of folders; from these anybody can have something loaded. */
const searchPaths = /^(?:PATH|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|PYTHONPATH|PERL5LIB|RUBYLIB|NODE_PATH)$/;
const openFolders = /(?:^|:)\/?(?:tmp|var\/tmp|dev\/shm)(?:\/|:|$)/;
const loadingOptions: Readonly<Record<string, RegExp>> = {
  NODE_OPTIONS: /(?:^|\s)(?:-r|--require|--import|--(?:experimental-)?loader)\b/,
  RUBYOPT: /(?:^|\s)-r/,
  JAVA_TOOL_OPTIONS: /-(?:javaagent|agentlib|agentpath)/,
};

export const injects = (name: string, value: string): boolean =>
  injecting.test(name) || (searchPaths.test(name) && openFolders.test(value)) || loadingOptions[name]?.test(value) === true;

/** Variables whose value programs run as a command. */
export const holdsCommand = (name: string): boolean =>
  /^(?:GIT_(?:SSH(?:_COMMAND)?|EXTERNAL_DIFF|PAGER|EDITOR|SEQUENCE_EDITOR|ASKPASS|PROXY_COMMAND)|(?:MAN|SYSTEMD_)?PAGER|EDITOR|VISUAL|SSH_ASKPASS|SUDO_ASKPASS|LESSOPEN|BROWSER|FCEDIT|RSYNC_RSH|CVS_RSH)$/.test(
    name,
  );

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
