/**
 * Who may import whom (docs/architecture.md). Lowest first: a file imports from its own layer and those before it. There are no
 * exceptions. Types count as what they come from; that workflows take types only from activities and subjects, a test of the
 * bundle shows (test/runtime/workflow-bundle.test.ts).
 */
const edge = '^src/[a-z-]+/(http/|.*(routes|command|commands|hook)[.]ts$)';
const contracts =
  '^src/workflows/(messages|reconcile-messages|rollout-messages|schedule-messages|queues|patches|metric-names)[.]ts$';
const subjects = [
  'absence',
  'audit',
  'breaker',
  'deletion',
  'exemptions',
  'forecast',
  'holds',
  'links',
  'looks',
  'mail',
  'policies',
  'preview',
  'principals',
  'reconciliation',
  'rollout',
  'security-events',
  'sessions',
  'signs',
  'simulation',
  'sources',
  'standings',
  'tokens',
  'worklist',
].join('|');

const layers = [
  { name: 'browser', path: '^src/browser/' },
  { name: 'rules', path: '^src/domain/' },
  { name: 'contracts', path: contracts },
  { name: 'base', path: '^src/(config[.]ts|config/|process/)' },
  { name: 'outside', path: '^src/(postgres|pacing|ory|smtp|keys)/', pathNot: edge },
  { name: 'subjects', path: `^src/(${subjects})/`, pathNot: edge },
  { name: 'activities', path: '^src/activities/' },
  { name: 'workflows', path: '^src/workflows/', pathNot: contracts },
  { name: 'client', path: '^src/client([.]ts$|/)' },
  { name: 'toolkits', path: '^src/(http|cli|middleware)/' },
  { name: 'edges', path: edge, pathNot: '^src/(http|gateway|worker|observability)/' },
  { name: 'assemblies', path: '^src/(gateway|worker|people-pages|desk|observability)/', pathNot: edge },
  { name: 'entries', path: '^src/(worker|gateway|cli|cli-program)[.]ts$' },
  { name: 'dev', path: '^dev/' },
];

const upward = layers.flatMap((from, i) =>
  layers.slice(i + 1).map((to) => ({
    name: `${from.name}-import-no-${to.name}`,
    severity: 'error',
    from: { path: from.path, ...(from.pathNot && { pathNot: from.pathNot }) },
    to: { path: to.path, ...(to.pathNot && { pathNot: to.pathNot }) },
  })),
);

module.exports = {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'every-file-has-a-layer',
      severity: 'error',
      from: { path: '^src/', pathNot: layers.map(({ path }) => path) },
      to: {},
    },
    ...upward,
    {
      name: 'the-browser-library-stands-alone',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/browser/' },
      to: { path: '^src/browser/' },
    },
    {
      name: 'an-example-imports-packages-only',
      comment: 'As an app would: nothing of the repository but its own files.',
      severity: 'error',
      from: { path: '^examples/([^/]+)/' },
      to: { path: '^(src|dev|test|tools|bench|docs|packages|examples)/', pathNot: '^examples/$1/' },
    },
    {
      name: 'rules-are-pure',
      comment: 'No I/O, no clock but what is passed in.',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { pathNot: ['^src/domain/', 'node_modules/(zod|ms|@types/ms)/'] },
    },
    {
      name: 'forecasts-are-pure',
      comment: 'What is decided here is decided again by a workflow: the same rules, and no I/O.',
      severity: 'error',
      from: { path: '^src/forecast/' },
      to: { pathNot: '^src/(forecast|domain)/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
};
