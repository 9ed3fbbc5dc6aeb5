// Writes docs/numbers.md from bench/results.json. `node scripts/numbers-doc.mjs`; `npm run bench` does it too, tests/docs.test.ts checks that it is up to date.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What is promised: the words for it, the limit, and the figure of bench/results.json (bench, name) that answers it; the peer's where it stands in a row of its own. */
const PROMISES = [
  ['after install, start to all healthy', '≤ 60 s', 'up', 'start to all healthy'],
  ['push of a manifest change → applied', '≤ 300 ms', 'up', 'push of a manifest change, acknowledged to applied'],
  ['image pushed → committed → applied, embedded', '≤ 0.3 s', 'up', 'image pushed to committed and applied'],
  ['memory at rest, everything embedded', '≤ 120 MiB', 'up', 'memory at rest'],
  ['`sluice version`', '≤ 80 ms', 'up', 'sluice version'],
  [
    'record of 30,000 deliveries, read at the start',
    'as of 3,000',
    'record',
    'record, 30000 deliveries, read at the start',
  ],
  ['record of 30,000 deliveries, in memory', 'as of 3,000', 'record', 'record, 30000 deliveries, in memory'],
  ['1,000 Kustomizations × 4, real API server, cold', '≤ 20 s', 'gitops', 'gitops, 1000 apps, cold, all say so'],
  ['the same, processor time, API server and etcd included', '≤ 40 s', 'gitops', 'gitops, 1000 apps, cold, processor'],
  ['the same, memory of the engine', '≤ 150 MiB', 'gitops', 'gitops, 1000 apps, cold, memory of the engine, peak'],
  [
    'with 1,000 apps: commit that touches one → applied',
    '≤ 300 ms',
    'gitops',
    'gitops, 1000 apps, touch 1, object applied',
  ],
  ['with 1,000 apps: commit that touches none', '≤ 1 s', 'gitops', 'gitops, 1000 apps, noop commit, all say so'],
  [
    'with 1,000 apps: processor at rest',
    '≤ 1 % of a core',
    'gitops',
    'gitops, 1000 apps, idle, processor of the engine',
  ],
  [
    'processor time of an app, with 5,000 to with 1,000',
    'linear',
    'gitops',
    'gitops, cold, processor time of an app, with 5000 to with 1000',
  ],
  [
    'image pushed → applied, real API server',
    '≤ 0.34 s',
    'image-unasked',
    'image pushed to Deployment changed, real API server, nobody asking',
  ],
  ['90 images updated, in one commit', '< 1 s', 'images', '90 images updated, automation made to commit at the remote'],
  ['60 MB COPY image built and pushed', '≤ 0.7 s', 'builder', 'builder: 60 MiB COPY, built and pushed'],
  ['the same, nothing changed', '≤ 50 ms', 'builder', 'builder: nothing changed, built and pushed'],
  ['one workflow step', '≤ 50 ms', 'runner-step', 'workflow step, beside its own work'],
  ['registry, manifest GET, one tag', '≥ distribution’s', 'registryd', 'registryd: manifest GET by tag, one tag'],
  ['registry, manifest GET, 5,001 tags', '≥ distribution’s', 'registryd', 'registryd: manifest GET by tag, 5,001 tags'],
  ['kustomize build, smallest tree, warm', '< 1 ms', 'kustomize', 'kustomize minimal 1: warm, processor'],
  ...[
    ['overlay 1000', '25'],
    ['mixed 1000', '25'],
    ['overlay 5000', '80'],
    ['chain 50', '3'],
  ].map(([tree, times]) => [
    `kustomize build, ${tree}, warm, processor`,
    `≥ ${times} × less than kustomize`,
    'kustomize',
    `kustomize ${tree}: warm, ratio of processor`,
  ]),
  [
    'cost of a resource at 20,000, of that at 100',
    'linear',
    'kustomize',
    'kustomize overlay 100 to 20000: warm, growth of the cost of a resource',
  ],
  ...['overlay 1000', 'mixed 1000'].map((tree) => [
    `kustomize build, ${tree}, as a process, processor`,
    '≥ 8 × less than kustomize, goal 12',
    'kustomize',
    `kustomize ${tree}: as a process, ratio of processor`,
  ]),
  [
    'kustomize build, smallest tree, as a process',
    '≤ 60 ms behind kustomize',
    'kustomize',
    'kustomize minimal 1: as a process, behind kustomize',
  ],
  [
    'kustomize build, overlay 5000, as a process, peak memory',
    '≤ kustomize’s',
    'kustomize',
    'kustomize overlay 5000: as a process, peak memory',
    'kustomize overlay 5000: kustomize, peak memory',
    'kustomize',
  ],
  [
    'kustomize build with origins, overlay 1000',
    '≤ 2 × without',
    'kustomize',
    'kustomize overlay 1000: warm, with origins to without',
  ],
  ...[
    ['create', '3,000'],
    ['get', '5,000'],
    ['list-500'],
    ['list-label'],
    ['merge-patch'],
    ['ssa-create'],
    ['ssa-noop', '1,500'],
    ['ssa-dryrun'],
    ['ssa-change', '1,000'],
    ['delete'],
  ].flatMap(([operation, least]) => [
    [
      `kubed, ${operation}`,
      `${least === undefined ? '' : `≥ ${least}/s and `}≥ the real one’s`,
      'kubed',
      `kubed: ${operation}`,
      `kube-apiserver: ${operation}`,
    ],
    [
      `kubed, ${operation}, processor time an operation`,
      '< the real one’s',
      'kubed',
      `kubed: ${operation}, CPU of the server`,
      `kube-apiserver: ${operation}, CPU of the server`,
    ],
  ]),
  ...['create', 'get', 'list-label', 'ssa-change'].map((operation) => [
    `kubed with 50,000 more objects, ${operation}`,
    'as with 5,000',
    'kubed',
    `kubed with 50000 more objects: ${operation}`,
    `kubed: ${operation}`,
    'with 5,000',
  ]),
  ['kubed, memory with 10,000 objects', '≤ 250 MiB', 'kubed', 'kubed, 10000 objects: create, memory of the server'],
  [
    'kubed, start with 50,000 objects',
    '≤ 500 ms',
    'kubed',
    'serve kubed with 50000 objects, start',
    'kube-apiserver start, empty',
    'the real one, empty',
  ],
  [
    'pod, created to Ready, above the program’s own start',
    '≤ 300 ms',
    'kubed-pod',
    "pod, created to Ready, above the program's own start",
  ],
]

/** The page of a checkout, whole. */
export function numbersDoc(root) {
  const results = JSON.parse(readFileSync(join(root, 'bench', 'results.json'), 'utf8'))
  return [
    '# Numbers',
    '',
    'Made from `bench/results.json` by `npm run bench`; every bench runs its peer in the same run where the peer is at hand. Noisy machines: a ratio is sounder than a time.',
    '',
    '## What is promised',
    '',
    '| what | promise | measured | peer |',
    '| --- | --- | --- | --- |',
    ...PROMISES.map(([what, promise, ...where]) => `| ${what} | ${promise} | ${measured(results, ...where)} |`),
    ...Object.entries(results).flatMap(([bench, result]) => section(bench, result)),
    '',
  ].join('\n')
}

function measured(results, bench, name, peerRow, peerName = 'the real one') {
  const find = (row) => results[bench]?.values.find((entry) => entry.name === row)
  const value = find(name)
  if (value === undefined) return 'not measured | '
  const other = peerRow === undefined ? undefined : find(peerRow)
  return `${figure(value.value)} ${value.unit} | ${peer(other ? { ...value, peer: other.value, peerName } : value)}`
}

function section(bench, { date, machine, values }) {
  return [
    '',
    `## \`bench/${bench}.bench.ts\``,
    '',
    `${date}, ${machine}.`,
    '',
    '| what | measured | peer |',
    '| --- | --- | --- |',
    ...values
      .filter(({ name }) => name !== undefined)
      .map((entry) => `| ${entry.name} | ${figure(entry.value)} ${entry.unit} | ${peer(entry)} |`),
  ]
}

function peer({ peer, peerName, unit }) {
  if (peer === undefined) return ''
  return typeof peer === 'number' ? `${figure(peer)} ${unit}${peerName === undefined ? '' : ` (${peerName})`}` : peer
}

function figure(value) {
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const root = join(import.meta.dirname, '..')
  writeFileSync(join(root, 'docs', 'numbers.md'), numbersDoc(root))
}
