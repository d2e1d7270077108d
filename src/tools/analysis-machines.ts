// Commands that are run in a container or on another machine. Finds the inner one and has it looked at. Decides little itself.
import type { Wrapper } from './analysis-context.ts';
import { judgeReading } from './analysis-files.ts';
import { has, readOptions, valueOf } from './analysis-options.ts';
import { judgeConnection } from './analysis-rules-handed.ts';
import { joined, unknownField } from './analysis-words.ts';

/** `docker exec box rm -rf /` and its like: what follows the name of the container. */
export const container: Wrapper = (shell, { name, args, stdin }) => {
  const long = ['env', 'user', 'workdir', 'env-file', 'detach-keys', 'namespace', 'container', 'context', 'file', 'kubeconfig', 'volume'];
  const valued = [
    'name',
    'network',
    'entrypoint',
    'publish',
    'memory',
    'cpus',
    'label',
    'mount',
    'hostname',
    'platform',
    'restart',
    'image',
  ];
  const form = { short: 'euwncfvpmlh', long: [...long, ...valued], stopsAtOperand: true };
  const [verb, ...rest] = readOptions(args, form).operands;
  const all = [verb, ...rest].map((word) => word?.text).join(' ');
  if (/^(?:delete|drain|rm -f|system prune|volume (?:rm|prune)|down .*-v)\b/.test(all.slice(0, 1_000))) {
    shell.findings.add('infrastructure_destroy', `${name} ${verb!.text} deletes what runs or is kept`);
  }
  if (verb?.text === 'compose') return container(shell, { name, args: rest, stdin });
  if (verb?.text === 'exec' || verb?.text === 'run') {
    const options = readOptions(rest, form);
    for (const file of [
      ...(options.values.get('env-file') ?? []),
      ...(options.values.get('v') ?? []),
      ...(options.values.get('volume') ?? []),
    ]) {
      judgeReading(shell, shell.path({ ...file, text: file.text.replace(/:.*/, '') }));
    }
    const mounts = [valueOf(options, 'v', 'volume'), valueOf(options, 'mount')].map((mount) => mount?.text ?? '');
    const isOpen =
      has(options, 'privileged') || mounts.some((mount) => /^\/(?::|var\/run\/docker|etc(?:[:/]|$))|(?:source|src)=\/(?:,|$)/.test(mount));
    if (isOpen) shell.findings.add('container_escape', `${name} ${verb.text} gives a container the machine it runs on`);
    const dashes = rest.findIndex(({ text }) => text === '--');
    const command = dashes < 0 ? options.operands.slice(1) : rest.slice(dashes + 1);
    if (command.length > 0) shell.runCommand(command, stdin);
  }
  return unknownField;
};

export const ssh: Wrapper = (shell, { name, args, stdin }) => {
  const options = readOptions(args, { short: 'BbcDEeFIiJLlmOopQRSWw', stopsAtOperand: true });
  if (has(options, 'R', 'D')) shell.findings.add('open_server', `${name} opens a way in through the network`);
  judgeConnection(shell, name, options);
  const script = options.operands.slice(options.operands[1]?.text === '--' ? 2 : 1);
  return script.length > 0 ? shell.runText(joined(script, ' '), `${name}, on another machine,`, [], stdin) : unknownField;
};
