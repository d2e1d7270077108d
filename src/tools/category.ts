// What kind of thing a tool does, from its name and the arguments it takes. Pure; no I/O.

/** What kind of thing a call does. */
export const toolCategories = ['command_execution', 'file_operation', 'file_search', 'network', 'data', 'general'] as const;
export type ToolCategory = (typeof toolCategories)[number];

export interface Named {
  readonly server: string;
  readonly name: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
}

const wordsOf = (name: string): Set<string> =>
  new Set(
    name
      .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
      .toLowerCase()
      .split(/[^a-z0-9]+/),
  );

const set = (words: string) => new Set(words.split(' '));
const runs = set('exec execute run eval evaluate invoke spawn start launch interpreter');
const commands = set(
  'command commands cmd shell bash sh zsh terminal console powershell subprocess process script scripts code python javascript repl',
);
const commandTools = set('bash sh zsh shell terminal powershell cmd exec repl');
/** As the whole name. */
const interpreters = set('python python3 javascript ruby eval ssh subprocess');
const commandArguments = /^(?:cmd|command|commands|commandline|shellcommand|script|shell|bash)$/;
const searches = set('search find grep glob list ls tree walk ripgrep rg locate');
const files = set('file files directory directories dir folder folders path paths filesystem fs notebook');
/** What programs around a model call their own tools for files. */
const builtinFiles = /^(?:read|write|edit|multi_?edit|view|create|str_replace\w*|text_editor\w*|apply_?patch)$/i;
const fileArguments = /^(?:path|paths|filepath|filename|file|notebookpath|directory)$/;
const network = set(
  'fetch http https url urls web browser browse download upload crawl scrape request api webhook email mail smtp slack navigate',
);
const networkArguments = /^(?:url|urls|uri|href|endpoint|webhookurl)$/;
const data = set(
  'sql query database db table tables record records row rows dataset datasets schema collection bucket index postgres mysql sqlite mongo redis bigquery snowflake',
);
const dataArguments = /^(?:sql|query|table|dataset|collection)$/;

export function categoryOf({ server, name, inputSchema }: Named): ToolCategory {
  const words = wordsOf(name);
  const has = (wanted: ReadonlySet<string>, among = words) => [...among].some((word) => wanted.has(word));
  const properties = typeof inputSchema['properties'] === 'object' && inputSchema['properties'] !== null ? inputSchema['properties'] : {};
  const takes = (wanted: RegExp) => Object.keys(properties).some((key) => wanted.test(key.toLowerCase().replace(/[_-]/g, '')));
  const isAbout = (topic: ReadonlySet<string>) => has(topic) || has(topic, wordsOf(server));
  if (has(commandTools) || (has(runs) && has(commands)) || takes(commandArguments)) return 'command_execution';
  if (words.size === 1 && has(interpreters)) return 'command_execution';
  if (server === 'builtin' && builtinFiles.test(name)) return 'file_operation';
  if (has(searches) && (isAbout(files) || words.size === 1)) return 'file_search';
  if (isAbout(files)) return 'file_operation';
  if (has(network) || takes(networkArguments)) return 'network';
  if (takes(fileArguments)) return 'file_operation';
  if (isAbout(data) || takes(dataArguments)) return 'data';
  return isAbout(network) ? 'network' : 'general';
}

const reading = set('read get list search find grep glob ls view show describe count stat head tail tree cat lookup query fetch');

const changing = set(
  'create add insert write save store put post send set update upsert edit replace patch move rename copy delete remove destroy drop purge clear reset kill stop cancel pay buy book order approve publish deploy install grant',
);

/** Does the name begin with a word for looking, and is none in it for changing something? For tools that nobody describes. */
export function readsByName(name: string): boolean {
  const words = [...wordsOf(name)].filter((word, index) => index > 0 || word !== 'web');
  return reading.has(words[0] ?? '') && !words.some((word) => changing.has(word));
}
