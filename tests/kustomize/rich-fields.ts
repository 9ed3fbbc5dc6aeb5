import type { Random } from './generate-tree.ts'
import type { Id } from './rich-objects.ts'

/** What the parts of one tree share. */
export type Rich = {
  readonly r: Random
  readonly files: Map<string, string | Uint8Array>
  readonly ids: readonly Id[]
  readonly isOdd: boolean
}

/** One strategic-merge document for an object of the tree. */
export function mergeDocument({ r, ids, isOdd }: Rich): string {
  const { apiVersion, kind, name } =
    isOdd && r.chance(0.1) ? { apiVersion: 'v1', kind: 'ConfigMap', name: 'nope' } : pickId(r, ids)
  const head = `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${JSON.stringify(name)}\n`
  return head + r.pick(METADATA) + r.pick(BODIES[kind] ?? ANY_BODY)
}

function pickId(r: Random, ids: readonly Id[]): Id {
  return ids.length > 0 ? r.pick(ids) : { apiVersion: 'v1', kind: 'ConfigMap', name: 'web' }
}

const METADATA = [
  ...[
    '',
    '',
    '',
    '  labels: {patched: "1", app: null}\n',
    '  labels: null\n',
    '  labels: {$patch: replace, only: x}\n',
  ],
  ...['  annotations: {a: null, fresh: 1}\n', '  annotations: {$patch: delete}\n', '  finalizers: [x/y, new/one]\n'],
  ...[
    '  $deleteFromPrimitiveList/finalizers: [x/y]\n',
    '  $setElementOrder/finalizers: [z/w, x/y]\n  finalizers: [z/w]\n',
  ],
  ...['  ownerReferences: [{uid: a, controller: true}, {uid: b}]\n', '  ownerReferences: [{$patch: delete, uid: a}]\n'],
] as const

const pod = (text: string): string => `spec: {template: {spec: {${text}}}}\n`

const BODIES: Readonly<Record<string, readonly string[]>> = {
  Deployment: [
    pod('$setElementOrder/containers: [{name: side}, {name: main}], containers: [{name: side, image: a}]'),
    pod(
      'containers: [{name: main, $setElementOrder/ports: [{containerPort: 81}, {containerPort: 80}], ports: [{containerPort: 81, name: y}]}]',
    ),
    pod('containers: [{name: main, ports: [{containerPort: 80, name: any}]}]'),
    pod('containers: [{name: main, ports: [{$patch: delete, containerPort: 80}]}]'),
    pod('containers: [{name: main, ports: [{containerPort: 80, protocol: SCTP}, {$patch: replace}]}]'),
    pod('containers: [{name: main, env: [{name: B, value: plain, valueFrom: null}]}]'),
    pod('containers: [{name: main, env: [{name: B, value: plain}, {name: A}]}]'),
    pod('containers: [{name: main, envFrom: [], command: null, args: [x]}]'),
    pod('containers: [{name: main, envFrom: [{configMapRef: {name: made}}]}]'),
    pod('containers: [{name: main, volumeMounts: [{mountPath: /b, name: w}, {mountPath: /a, $patch: delete}]}]'),
    pod('containers: [{$patch: merge, name: main, image: m}]'),
    pod('containers: [{name: main, $patch: replace, image: r}]'),
    pod('containers: [{image: nameless}]'),
    pod('containers: []'),
    pod('containers: null, initContainers: [{name: i, image: nginx}]'),
    pod('ephemeralContainers: [{name: debug, image: d}]'),
    pod('tolerations: [{key: b, operator: Exists}]'),
    pod('volumes: [{name: v, $retainKeys: [name, emptyDir], emptyDir: {}}]'),
    pod('volumes: [{name: v, configMap: {name: other, items: [{key: a, path: b}]}}, {name: fresh}]'),
    pod('$patch: replace, containers: [{name: main}]'),
    pod('$patch: delete'),
    pod('$retainKeys: [containers]'),
    pod('affinity: {nodeAffinity: {}}, securityContext: {runAsUser: 010}'),
    'spec: {strategy: {$retainKeys: [type], type: Recreate}}\n',
    'spec: {strategy: {type: Recreate, rollingUpdate: null}, replicas: 0x10}\n',
    'spec: {selector: {matchLabels: {$patch: replace, x: y}, matchExpressions: [{key: app, operator: DoesNotExist}]}}\n',
    'spec: null\n',
    '$patch: delete\n',
    'spec: {replicas: {a: b}}\n',
    'spec: [a]\n',
  ],
  Service: [
    'spec: {ports: [{port: 443, name: only-port}]}\n',
    'spec: {ports: [{port: 443, protocol: UDP, $patch: delete}, {port: 443, protocol: TCP, name: t}]}\n',
    'spec: {ports: [{port: 80, $patch: delete}]}\n',
    'spec: {ports: [{port: "80", name: text}]}\n',
    'spec: {ports: [{name: portless}]}\n',
    'spec: {$setElementOrder/ports: [{port: 443}, {port: 80}], ports: [{port: 80, nodePort: 30000}]}\n',
    'spec: {externalIPs: [1.2.3.4], loadBalancerSourceRanges: null}\n',
    'spec: {selector: {app: null}}\n',
    'spec: {selector: {}}\nstatus: {conditions: [{type: a}]}\n',
  ],
  ConfigMap: [
    'data: {a: null, doc.json: "{}"}\n',
    'data: {$patch: delete}\n',
    'data: {$patch: replace, z: "1"}\n',
    'data: {1: x, true: y}\n',
    'data: {"3": x}\nbinaryData: {bin: null}\n',
    'data: {a: 010, on: yes, t: 2001-01-01}\n',
    'data:\n  a: |+\n    kept\n\n  b: >\n    folded\n    text\n',
    'data: &d {x: "1"}\ncopy: *d\n',
    'immutable: false\n',
  ],
  Widget: [
    'spec: {items: [{id: 2, v: changed}]}\n',
    'spec: {items: [{$patch: replace}, {id: 9}]}\n',
    'spec: {texts: [only], map: {a.b: null, 8080: other, new: {x: null}}}\n',
    'spec: {shared: {p: null}, again: {r: s}, merged: {p: x}}\n',
    'spec: {size: null, on: "yes", when: 2002-02-02, block: "a\\nb"}\n',
    'spec: {template: {spec: {containers: [{name: main, image: c}]}}}\n',
    'spec: {map: {$patch: replace, only: 1}}\n',
    'spec: {ref: text}\n',
    'spec: {"quoted key": {"1": a}, null: b}\n',
  ],
}

const ANY_BODY = [
  ...[
    'spec: {added: {a: [1, {b: null}], c: null}}\n',
    '$patch: delete\n',
    '$patch: merge\n',
    '$patch: replace\nspec: {x: 1}\n',
  ],
  ...[
    '$patch: nonsense\n',
    'data: {a: Yw==}\n',
    'subjects: [{kind: User, name: u}]\n',
    'rules: null\n',
    'webhooks: [{name: d.e.f, failurePolicy: Fail}]\n',
  ],
  ...['imagePullSecrets: [{name: more}]\nsecrets: [{name: s}]\n', 'spec: {finalizers: [a]}\n', 'spec: "text"\n'],
] as const

const POINTERS = [
  ...[
    '/metadata/labels/app',
    '/metadata/labels/x~1y',
    '/metadata/annotations/a~0b',
    '/metadata/annotations',
    '/metadata/name',
  ],
  ...[
    '/spec/replicas',
    '/spec/template/spec/containers/0/image',
    '/spec/template/spec/containers/-',
    '/spec/ports/0',
    '/spec/ports/-1',
  ],
  ...[
    '/spec/items/1/v',
    '/spec/items/01',
    '/spec/items/9',
    '/spec/map/8080',
    '/spec/map/a.b',
    '/spec/texts/1',
    '/spec/none/deep',
    '/data/a',
  ],
  ...[
    '/data/1',
    '/data/doc.json',
    '/data',
    '',
    '/',
    '//',
    'data/a',
    '/spec',
    '/metadata',
    '/kind',
    '/apiVersion',
    '/spec/size/x',
    '/spec/texts/x',
  ],
] as const

const VALUES = [
  ...[
    '1',
    '"1"',
    'true',
    'null',
    '"text"',
    '1.50',
    '1e3',
    '[]',
    '{}',
    '{"a": [1, null, {"b": "c"}]}',
    '["x", 2]',
    '"a\\nb"',
    '12345678901234567890',
  ],
  ...[
    '{"name": "new", "image": "nginx"}',
    '"<&>"',
    '0.1',
    '-0',
    '"\\u2028"',
    '{"1": "x"}',
    '"é"',
    '"yes"',
    '"2001-01-01"',
  ],
] as const

/** A JSON patch, as JSON or as YAML. */
export function jsonPatch({ r, isOdd }: Rich): string {
  const pointers = isOdd ? POINTERS : POINTERS.slice(0, 9)
  const count = r.pick([1, 1, 2, 3])
  const ops = Array.from({ length: count }, () => {
    const op = r.pick(
      isOdd ? ['add', 'add', 'replace', 'remove', 'test', 'move', 'copy', 'nonsense'] : ['add', 'add', 'replace'],
    )
    const from = op === 'move' || op === 'copy' ? `, "from": ${JSON.stringify(r.pick(pointers))}` : ''
    const value = op === 'remove' || from !== '' || r.chance(0.03) ? '' : `, "value": ${r.pick(VALUES)}`
    return `{"op": "${op}", "path": ${JSON.stringify(r.pick(pointers))}${from}${value}}`
  })
  if (r.chance(0.5)) return `[${ops.join(',\n ')}]`
  return ops.map((op) => `- ${op}\n`).join('')
}

/** What selects objects. */
export function selector({ r, ids, isOdd }: Rich): Record<string, string> {
  const { kind, name, apiVersion } = pickId(r, ids)
  const [group = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['']
  const plain: Record<string, string>[] = [
    { kind },
    { kind, name },
    { name },
    { kind, group, version: apiVersion.split('/').at(-1) ?? '' },
    { labelSelector: 'app=web' },
    { kind, labelSelector: 'app' },
    { name: '.*' },
  ]
  const odd: Record<string, string>[] = [
    { namespace: 'one' },
    { namespace: 'default', kind },
    { kind: `${kind.slice(0, 3)}.*`, name: `(${name}|x)` },
    { labelSelector: 'app in (web, b), n notin (2), !zz' },
    { labelSelector: 'n > 0' },
    { labelSelector: 'app==web,app!=x' },
    { labelSelector: 'app in web' },
    { annotationSelector: 'a=b' },
    { kind: 'Nope' },
    { name: '[' },
    { version: 'v1beta1' },
    {},
  ]
  return r.pick(isOdd ? [...plain, ...odd] : plain)
}

const PATHS = [
  ...[
    'metadata.name',
    'metadata.labels.app',
    'metadata.labels.new',
    'metadata.annotations.[a.b/c]',
    'metadata.annotations.a\\.b/c',
    'metadata.namespace',
  ],
  ...[
    'spec.replicas',
    'spec.template.spec.containers.0.image',
    'spec.template.spec.containers.[name=main].image',
    'spec.template.spec.containers.*.image',
  ],
  ...[
    'spec.template.spec.containers.[name=main].env.[name=A].value',
    'spec.template.spec.containers.[name=fresh].env.[name=N].value',
    'spec.ports.[port=443].name',
  ],
  ...[
    'spec.ports.[name=.*].targetPort',
    'spec.items.[id=1].v',
    'spec.items.[id=3].nested.0.1',
    'spec.items.*.v',
    'spec.items.-.v',
    'spec.texts.1',
    'spec.texts.[=a]',
  ],
  ...[
    'spec.texts.[=new]',
    'spec.texts.9',
    'spec.texts.-',
    'spec.map.[a.b]',
    'spec.map.a\\.b',
    'spec.map.[c/d].e',
    'spec.map.8080',
    'spec.map',
    'spec.shared',
    'spec.again.p',
  ],
  ...[
    'spec.size',
    'spec.on',
    'spec.when',
    'spec.block',
    'spec.ref.name',
    'data.a',
    'data.new',
    'data.[doc.json].a.b',
    'data.doc\\.json.a.b.0',
    'data.doc\\.yaml.a.b',
    'data.1',
  ],
  ...[
    'data.doc\\.yaml.a.0',
    'data.doc\\.yaml',
    'data',
    'subjects.0.namespace',
    'spec.created.deep.er',
    'spec.list.0.x',
    'webhooks.*.clientConfig.service.name',
    '',
    'spec..x',
    '[a=b].c',
  ],
] as const

/** A replacement, with every option. */
export function replacement(rich: Rich): Record<string, unknown> {
  const { r, isOdd } = rich
  const paths = isOdd ? PATHS : PATHS.slice(0, 13)
  const { kind, name } = pickId(r, rich.ids)
  const options = (share: number): Record<string, unknown> => (r.chance(share) ? { options: r.pick(OPTIONS) } : {})
  const source = r.pick<Record<string, unknown>>([
    { kind, name },
    { kind, name, fieldPath: r.pick(paths) },
    { kind, fieldPath: r.pick(paths) },
    { ...selector(rich), fieldPath: 'metadata.name' },
  ])
  const targets = Array.from({ length: r.pick([1, 1, 1, 2]) }, () => ({
    select: selector(rich),
    ...(r.chance(0.25) ? { reject: Array.from({ length: r.pick([1, 2]) }, () => selector(rich)) } : {}),
    ...(r.chance(0.95) ? { fieldPaths: Array.from({ length: r.pick([1, 1, 2]) }, () => r.pick(paths)) } : {}),
    ...(isOdd ? options(0.7) : { options: { create: true } }),
  }))
  if (r.chance(0.25)) return { sourceValue: r.pick(['v', '1', 'true', 'a b', 'x:y', '']), targets }
  return { source: { ...source, ...options(isOdd ? 0.25 : 0) }, targets }
}

const OPTIONS = [
  ...[
    { create: true },
    { create: true },
    { create: true },
    { delimiter: ':' },
    { delimiter: ':', index: 1 },
    { delimiter: ':', index: -1 },
  ],
  ...[
    { delimiter: '.', index: 5, create: true },
    { delimiter: '/', index: 0, create: true },
    { index: 1 },
    { encoding: 'base64' },
    { delimiter: ' ' },
  ],
]
