// The typed documents of `client/`, generated from schema/schema.graphql by the same codegen.yml that users copy.
import { isAbsolute, join, relative } from 'node:path';
import { executeCodegen, loadContext } from '@graphql-codegen/cli';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'client');

/** Generated files, with paths from the root of the repository; nothing is written. */
export async function clientFiles(): Promise<{ readonly path: string; readonly content: string }[]> {
  const context = await loadContext(join(folder, 'codegen.yml'));
  context.cwd = folder;
  // The operations are checked by codegen itself: a field that the schema lacks fails here.
  context.updateConfig({ silent: true, errorsOnly: true, cwd: folder });
  const { result, error } = await executeCodegen(context);
  if (error) throw error;
  return result.map(({ filename, content }) => ({
    path: relative(root, isAbsolute(filename) ? filename : join(folder, filename)),
    content: content.endsWith('\n') ? content : `${content}\n`,
  }));
}
