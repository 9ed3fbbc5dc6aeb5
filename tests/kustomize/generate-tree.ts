/** Makes random kustomization trees: every feature combined, the same tree for the same seed. */
export type Files = Map<string, string>

/** The same where files may hold bytes that are no text. */
export type Tree = ReadonlyMap<string, string | Uint8Array>

/** Choices that follow from a seed. */
export type Random = {
  readonly next: () => number
  readonly pick: <T>(list: readonly T[]) => T
  readonly chance: (share: number) => boolean
}

/** A generator of numbers between 0 and 1 (mulberry32). */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  return {
    next,
    pick: (list) => list[Math.floor(next() * list.length)] as (typeof list)[number],
    chance: (share) => next() < share,
  }
}

const NAMES = ['web', 'api'] as const

/** The files of one tree; the folder to build is `/top`. */
export function generateTree(seed: number): Files {
  const r = randomOf(seed)
  const files: Files = new Map()
  const baseCount = 1 + Math.floor(r.next() * 2)
  const bases: string[] = []
  for (let i = 0; i < baseCount; i++) {
    const dir = `/base${i}`
    writeLevel(r, files, dir, [], i === 0 ? NAMES : ['db'], i)
    bases.push(`../base${i}`)
  }
  if (r.chance(0.4)) {
    writeLevel(r, files, '/mid', bases.splice(0), [], 7)
    bases.push('../mid')
  }
  writeLevel(r, files, '/top', bases, r.chance(0.4) ? ['extra'] : [], 9)
  return files
}

function writeLevel(
  r: Random,
  files: Files,
  dir: string,
  bases: readonly string[],
  own: readonly string[],
  index: number,
): void {
  const k: Record<string, unknown> = {}
  const resources = [...bases]
  for (const name of own) {
    const suffix = index === 0 ? '' : String(index)
    files.set(`${dir}/${name}.yaml`, manifests(r, `${name}${suffix}`))
    resources.push(`${name}.yaml`)
  }
  k['resources'] = resources
  // patches, replicas and the like look for the names of the first base
  const hasNames = index === 0 || bases.includes('../base0') || bases.includes('../mid')
  for (const [share, add] of FEATURES)
    if (r.chance(share) && (hasNames || !NEEDS_NAMES.has(add))) add(r, k, files, dir, index)
  files.set(`${dir}/kustomization.yaml`, JSON.stringify(k, undefined, 1))
}

type Feature = (r: Random, k: Record<string, unknown>, files: Files, dir: string, index: number) => void

const addPatches: Feature = (r, k) => (k['patches'] = [patch(r), ...(r.chance(0.4) ? [patch(r)] : [])])
const addReplicas: Feature = (r, k) => (k['replicas'] = [{ name: r.pick(NAMES), count: 1 + Math.floor(r.next() * 9) }])
const addReplacements: Feature = (r, k) => (k['replacements'] = [replacement(r)])
const addVars: Feature = (r, k) =>
  (k['vars'] = [
    { name: `VAR_${Math.floor(r.next() * 3)}`, objref: { apiVersion: 'v1', kind: 'Service', name: r.pick(NAMES) } },
  ])

const FEATURES: readonly (readonly [number, Feature])[] = [
  [0.4, (r, k) => (k['namePrefix'] = r.pick(['p-', 'dev-', 'a.']))],
  [0.2, (r, k) => (k['nameSuffix'] = r.pick(['-s', '-v2']))],
  [0.3, (r, k) => (k['namespace'] = r.pick(['ns1', 'default', 'prod']))],
  [0.3, (r, k) => (k['commonLabels'] = { team: r.pick(['x', '1', 'true', 'a b']) })],
  [
    0.3,
    (r, k) =>
      (k['labels'] = [
        { pairs: { tier: r.pick(['x', '010']) }, includeSelectors: r.chance(0.4), includeTemplates: r.chance(0.5) },
      ]),
  ],
  [0.3, (r, k) => (k['commonAnnotations'] = { note: r.pick(['x', '8080', 'null', 'a: b', 'two\nlines']) })],
  [
    0.4,
    (r, k) =>
      (k['images'] = [
        {
          name: r.pick(['nginx', 'busybox', 'ghcr.io/x/app']),
          ...r.pick([
            { newTag: '2.0' },
            { newName: 'other/img' },
            { digest: 'sha256:abc' },
            { tagSuffix: '-x' },
            { newName: 'n', newTag: '1' },
          ]),
        },
      ]),
  ],
  [0.3, (r, k) => (k['configMapGenerator'] = [configMap(r)])],
  [
    0.2,
    (r, k) =>
      (k['secretGenerator'] = [
        {
          name: 'sec',
          literals: ['user=admin', `pw=${r.pick(['a', 'x'.repeat(90)])}`],
          ...(r.chance(0.3) ? { type: 'kubernetes.io/x' } : {}),
        },
      ]),
  ],
  [
    0.15,
    (r, k) =>
      (k['generatorOptions'] = r.pick([
        { disableNameSuffixHash: true },
        { labels: { g: 'y' } },
        { annotations: { g: '1' }, immutable: true },
      ])),
  ],
  [0.5, addPatches],
  [0.15, addReplicas],
  [0.2, addReplacements],
  [0.1, (r, k) => (k['sortOptions'] = { order: r.pick(['legacy', 'fifo']) })],
  [0.15, addComponent],
  [0.06, addVars],
  [0.1, (_, k) => (k['buildMetadata'] = ['managedByLabel'])],
]

const NEEDS_NAMES: ReadonlySet<Feature> = new Set([addPatches, addReplicas, addReplacements, addVars, addComponent])

function addComponent(r: Random, k: Record<string, unknown>, files: Files, dir: string, index: number): void {
  const component = {
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    ...r.pick([
      { namePrefix: 'c-' },
      { commonAnnotations: { c: '1' } },
      { patches: [patch(r)] },
      { configMapGenerator: [{ name: 'comp', literals: ['a=b'] }] },
    ]),
  }
  files.set(`/comp${index}/kustomization.yaml`, JSON.stringify(component))
  k['components'] = [`../comp${index}`]
  void dir
}

function configMap(r: Random): Record<string, unknown> {
  const literals = [
    'a=1',
    `long=${'word '.repeat(Math.floor(r.next() * 30))}end`,
    `q="${r.pick(['x', "it's", 'é😀'])}"`,
  ]
  return {
    name: r.pick(['cfg', 'cfg2']),
    literals,
    ...(r.chance(0.2) ? { namespace: 'ns1' } : {}),
    ...(r.chance(0.06) ? { behavior: r.pick(['merge', 'replace', 'create']) } : {}),
  }
}

function patch(r: Random): Record<string, unknown> {
  const name = r.pick(NAMES)
  const kind = r.pick(['Deployment', 'Deployment', 'Service'])
  if (r.chance(0.35)) return { target: target(r, kind), patch: JSON.stringify([operation(r)]) }
  const apiVersion = kind === 'Service' ? 'v1' : 'apps/v1'
  const body =
    kind === 'Service'
      ? serviceSpec(r)
      : { template: { spec: podPatch(r) }, ...(r.chance(0.3) ? { replicas: null } : {}) }
  const document = {
    apiVersion,
    kind,
    metadata: { name, ...(r.chance(0.2) ? { labels: { patched: 'yes', n: 1 } } : {}) },
    ...(r.chance(0.08) ? { $patch: 'delete' } : { spec: body }),
  }
  return { patch: JSON.stringify(document), ...(r.chance(0.6) ? { target: target(r, kind) } : {}) }
}

function target(r: Random, kind: string): Record<string, string> {
  return r.pick<Record<string, string>>([
    { kind },
    { kind, name: r.pick(NAMES) },
    { kind, name: '.*b' },
    { kind, labelSelector: 'app=web' },
    { kind, labelSelector: 'app in (web, api)' },
    { kind: 'Deploy.*' },
  ])
}

function operation(r: Random): Record<string, unknown> {
  if (r.chance(0.8))
    return r.pick([
      { op: 'add', path: '/metadata/annotations', value: { patched: 'true', n: '1' } },
      { op: 'add', path: '/spec/extra', value: [1, { b: null }] },
      { op: 'replace', path: '/spec/fresh', value: 1.5 },
    ])
  return r.pick([
    { op: 'add', path: '/metadata/annotations', value: { patched: 'true' } },
    { op: 'replace', path: '/metadata/name', value: 'renamed' },
    { op: 'add', path: '/spec/template/spec/containers/-', value: { name: 'extra', image: 'busybox' } },
    { op: 'remove', path: '/spec/replicas' },
    { op: 'replace', path: '/spec/replicas', value: 7 },
    { op: 'test', path: '/kind', value: 'Deployment' },
    { op: 'copy', from: '/metadata/name', path: '/metadata/labels' },
    { op: 'move', from: '/metadata/labels/app', path: '/metadata/labels/moved' },
  ])
}

function podPatch(r: Random): Record<string, unknown> {
  return r.pick<Record<string, unknown>>([
    { containers: [{ name: 'main', image: 'nginx:9' }] },
    { containers: [{ name: 'side', image: 'busybox:1', ports: [{ containerPort: 80 }] }] },
    {
      containers: [
        {
          name: 'main',
          ports: [
            { containerPort: 80, protocol: 'UDP' },
            { containerPort: 90, name: 'm' },
          ],
        },
      ],
    },
    {
      containers: [
        {
          name: 'main',
          env: [
            { name: 'B', value: '2' },
            { name: 'A', $patch: 'delete' },
          ],
        },
      ],
    },
    { containers: [{ name: 'main', env: [{ $patch: 'replace' }, { name: 'Z', value: 'z' }] }] },
    { containers: [{ $patch: 'delete', name: 'side' }] },
    {
      volumes: [
        { name: 'v', emptyDir: {} },
        { name: 'c', configMap: { name: 'cfg' } },
      ],
    },
    { containers: [{ name: 'main', args: ['a', '$(VAR_1)'], resources: { limits: { cpu: 1 } } }], nodeSelector: null },
    {
      tolerations: [{ key: 'x' }],
      topologySpreadConstraints: [{ topologyKey: 'zone', whenUnsatisfiable: 'x', maxSkew: 1 }],
    },
    ...(r.chance(0.2) ? [{ containers: [{ image: 'noname' }] }] : []),
  ])
}

function serviceSpec(r: Random): Record<string, unknown> {
  return r.pick([
    { ports: [{ port: 80, targetPort: 81 }] },
    { ports: [{ port: 443, protocol: 'TCP', name: 'tls' }] },
    { ports: [{ port: 80, protocol: 'UDP' }, { port: 53 }] },
    { selector: { app: null, x: 'y' } },
    { $patch: 'replace', type: 'NodePort' },
  ])
}

function replacement(r: Random): Record<string, unknown> {
  const name = r.pick(NAMES)
  return {
    source: r.pick([
      { kind: 'Service', name },
      { kind: 'Deployment', name, fieldPath: 'spec.replicas' },
      { kind: 'ConfigMap', name: 'cfg', fieldPath: 'data.a' },
      { kind: 'Service', name, fieldPath: 'metadata.name' },
    ]),
    targets: [
      {
        select: r.pick([{ kind: 'Deployment' }, { kind: 'Deployment', name }, { kind: 'Service', name: '.*' }]),
        fieldPaths: [
          r.pick([
            'metadata.annotations.from',
            'spec.template.spec.containers.[name=main].image',
            'spec.template.spec.containers.*.image',
            'spec.replicas',
            'metadata.labels.new',
          ]),
        ],
        options: r.pick([{ create: true }, { delimiter: ':', index: 1 }, {}]),
      },
    ],
  }
}

function manifests(r: Random, name: string): string {
  const kinds = [
    deployment(r, name, 'Deployment'),
    service(r, name),
    ...(r.chance(0.3) ? [deployment(r, `${name}-sts`, 'StatefulSet')] : []),
    ...(r.chance(0.3) ? [account(name), binding(r, name)] : []),
    ...(r.chance(0.3) ? [cronJob(r, name)] : []),
    ...(r.chance(0.3) ? [rest(r, name)] : []),
  ]
  return kinds.map((text) => text.trimStart()).join('---\n')
}

function deployment(r: Random, name: string, kind: string): string {
  const labels = r.pick(['{app: web}', '{app: api, v: 010}', `{app: ${name}, on: "yes"}`])
  const nulls = r.chance(0.3) ? '\n      nodeSelector:\n      affinity: null' : ''
  const claims =
    kind === 'StatefulSet'
      ? `\n  serviceName: ${name}\n  volumeClaimTemplates:\n  - metadata: {name: data}\n    spec: {storageClassName: fast}`
      : ''
  return `
apiVersion: apps/v1
kind: ${kind}
metadata:
  name: ${name}
  labels: ${labels}${r.chance(0.2) ? '\n  annotations: {}' : ''}
spec:
  replicas: ${r.pick(['1', '2', '"3"'])}
  selector: {matchLabels: {app: ${name}}}${claims}
  template:
    metadata: {labels: {app: ${name}}}
    spec:${nulls}
      serviceAccountName: ${name}
      containers:
      - name: main
        image: ${r.pick(['nginx', 'nginx:1.2', 'ghcr.io/x/app:1@sha256:abc', 'host:5000/nginx:1'])}
        command: [sh, -c, '${r.pick(['echo $(VAR_1)', 'true', 'a very long command line that goes on and on until it has to be folded somewhere by the writer'])}']
        ports: [{containerPort: 80}, {containerPort: 80, protocol: UDP}]
        env:
        - {name: A, value: "1"}
        - {name: A2, valueFrom: {configMapKeyRef: {name: cfg, key: a}}}
        - {name: S, valueFrom: {secretKeyRef: {name: sec, key: pw}}}
        envFrom: [{configMapRef: {name: cfg2}}]
      - {name: side, image: busybox}
      volumes:
      - {name: v, configMap: {name: cfg}}
      - {name: s, secret: {secretName: sec}}
`
}

function service(r: Random, name: string): string {
  return `
# a service
apiVersion: v1
kind: Service
metadata: {name: ${name}${r.chance(0.2) ? ', namespace: default' : ''}}
spec:
  selector: {app: ${name}}
  ports: [{port: 80, targetPort: ${r.pick(['http', '8080', '"8080"'])}}, {port: ${r.pick(['443', '0x1BB', '80'])}, protocol: UDP}]
`
}

function account(name: string): string {
  return `\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ${name}}\n`
}

function binding(r: Random, name: string): string {
  const namespace = r.pick(['', ', namespace: ns1', ', namespace: default'])
  return `
apiVersion: rbac.authorization.k8s.io/v1
kind: ${r.pick(['RoleBinding', 'ClusterRoleBinding'])}
metadata: {name: ${name}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${name}}
subjects: [{kind: ServiceAccount, name: ${r.pick([name, 'default'])}${namespace}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: ${name}}
rules: [{apiGroups: [""], resources: [secrets], resourceNames: [sec], verbs: [get]}]
`
}

function cronJob(r: Random, name: string): string {
  return `
apiVersion: batch/v1
kind: CronJob
metadata: {name: ${name}-job}
spec:
  schedule: "${r.pick(['* * * * *', '0 1 * * *'])}"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: busybox, envFrom: [{secretRef: {name: sec}}]}]}}}}
`
}

function rest(r: Random, name: string): string {
  return r.pick([
    `\napiVersion: v1\nkind: Namespace\nmetadata: {name: ns1}\n`,
    `\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: ${name}}\nspec: {rules: [{host: x, http: {paths: [{backend: {service: {name: ${name}, port: {number: 80}}}}]}}], tls: [{secretName: sec}]}\n`,
    `\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: ${name}}\nspec: {minAvailable: 1, selector: {matchLabels: {app: ${name}}}}\n`,
    `\napiVersion: example.com/v1\nkind: Thing\nmetadata: {name: ${name}}\nspec: {containers: [{name: main, image: nginx}], date: 2001-01-01, big: 12345678901234567890, f: 1.50, e: 1e3, n: ~}\n`,
    `\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}-li}, data: {a: "1"}}\n`,
    `\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: ${name}}\nspec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: ${name}}}\n`,
    `\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: local, annotations: {config.kubernetes.io/local-config: "true"}}\ndata: {a: b}\n`,
  ])
}
