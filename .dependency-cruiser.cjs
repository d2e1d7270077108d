// Which folder may import which (docs: "Folders and arrows" in the design). Few rules; each names the way out.
const floors = [
  ['platform'],
  ['authority'],
  ['cache', 'jobs', 'events', 'expressions', 'outbound', 'killswitches', 'webhooks'],
  ['tenants'],
  ['principals', 'audit'],
  ['approvals', 'rules', 'agents', 'tools', 'eventbus'],
  ['policies'],
  ['decisions'],
  ['gate', 'simulations'],
  ['datagrants'],
  ['executions'],
  ['queues', 'inspection', 'toolcalls'],
  ['runner'],
];

/** One rule per floor: nothing on it imports a floor above, or the files that compose the product. */
const floorRules = floors.map((names, index) => {
  const above = floors.slice(index + 1).flat();
  const composed = 'src/(app|config|config-schema|migrate|orm|entities)\\.ts$';
  return {
    name: `floor-${names.join('-')}`,
    comment: 'A lower floor never imports a higher one: add a job by name, or pass the value in.',
    severity: 'error',
    from: { path: `^src/(${names.join('|')})/` },
    to: { path: [`^${composed}`, ...(above.length > 0 ? [`^src/(${above.join('|')})/`] : [])] },
  };
});

/** cli → gateway → resolvers → schema → src; what a folder may import besides itself. */
const arrows = {
  gateway: 'resolvers|schema|src',
  resolvers: 'schema|src',
  schema: 'src',
  src: 'migrations',
  migrations: '',
  client: 'schema/schema\\.graphql',
};
const ownFolders = 'cli|gateway|resolvers|schema|src|migrations|client|test|scripts|bench|deploy|console';
const arrowRules = Object.entries(arrows).map(([from, to]) => ({
  name: `arrow-${from}`,
  comment: `${from}/ may import ${to ? to.split('|').join(', ') : 'nothing of ours'} and packages only.`,
  severity: 'error',
  from: { path: `^${from}/` },
  to: { path: `^(${ownFolders})/`, pathNot: `^(${[from, ...(to ? [to] : [])].join('|')})(/|$)` },
}));

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', comment: 'The import leads nowhere.', from: {}, to: { couldNotResolve: true } },
    ...floorRules,
    ...arrowRules,
    {
      name: 'platform-has-no-domain',
      comment: 'src/platform knows packages only.',
      severity: 'error',
      from: { path: '^src/platform/' },
      to: { path: '^(src|migrations)/', pathNot: '^src/platform/' },
    },
    {
      name: 'services-come-through-context',
      comment: 'schema/ and resolvers/ take types and constants of src, never a service.',
      severity: 'error',
      from: { path: '^(schema|resolvers)/' },
      to: {
        path: '^src/(app|orm|migrate|config)\\.ts$|^src/.+-service\\.ts$|^src/platform/database\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'tests-are-not-shipped',
      severity: 'error',
      from: { path: `^(cli|gateway|resolvers|schema|src|migrations|client)/` },
      to: { path: '^(test|scripts|bench)/' },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^client/generated/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
