import type { Random } from './generate-tree.ts'
import type { Wide } from './wide-objects.ts'

type Patch = Record<string, unknown>

const API: Readonly<Record<string, string>> = {
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  Thing: 'example.com/v1',
  Service: 'v1',
  ConfigMap: 'v1',
  Pod: 'v1',
}

/** A patch of any form: strategic merge or JSON, inline or in a file, with a target or without. */
export function widePatch(context: Wide, dir: string, form?: 'strategic' | 'json'): Patch {
  const { r, files, kinds } = context
  const isJson = form === 'json' || (form === undefined && r.chance(0.45))
  const text = isJson ? jsonText(context) : strategicText(context)
  const held: Patch = {}
  if (dir !== '' && r.chance(0.3)) {
    const name = `patch${files.size}.${r.pick(['yaml', 'json', 'txt'])}`
    files.set(`${dir}/${name}`, text)
    held['path'] = name
  } else held['patch'] = text
  const hasKind = kinds.some((kind) => kind in API)
  if (isJson || (context.isCareful && !hasKind) || r.chance(0.4)) held['target'] = wideTarget(r, kinds)
  if (!isJson && r.chance(0.12)) held['options'] = { [r.pick(['allowNameChange', 'allowKindChange'])]: r.chance(0.8) }
  return held
}

/** What selects objects by regular expressions and labels. */
export function wideTarget(r: Random, kinds: readonly string[]): Record<string, string> {
  const kind = r.pick(kinds.length > 0 ? kinds : ['Pod'])
  return r.pick<Record<string, string>>([
    { kind },
    { kind, name: 'web' },
    { kind, name: 'w.b|cfg' },
    { name: 'web', version: 'v1' },
    { group: 'apps' },
    { group: 'apps', kind: '(Deployment|StatefulSet)' },
    { labelSelector: 'app=web' },
    { labelSelector: 'app notin (db), !none' },
    { annotationSelector: 'n' },
    { namespace: 'one|default', kind },
    { namespace: 'two' },
    { kind: '.*Set', name: '.*' },
    { version: 'v.' },
  ])
}

function jsonText({ r, isCareful }: Wide): string {
  const operations = [
    { op: 'add', path: '/metadata/labels', value: { fresh: '1' } },
    { op: 'add', path: '/metadata/annotations', value: { 'a/b': 'c', n: 'yes' } },
    { op: 'replace', path: '/metadata/namespace', value: 'moved' },
    { op: 'copy', from: '/metadata/name', path: '/metadata/copied' },
    { op: 'add', path: '/extra', value: { replicas: 2, list: [1, 'b', null, { c: 1.0 }], big: 1000000, yes: true } },
    { op: 'add', path: '/spec', value: { replicas: 2, list: [1, 'b', null, { c: 1.0 }] } },
    { op: 'replace', path: '/spec/replicas', value: 5 },
    { op: 'add', path: '/spec/template/spec/containers/0/env', value: [{ name: 'Z', value: 'z' }] },
    { op: 'add', path: '/spec/template/spec/containers/0/args', value: ['$(FIRST)'] },
    { op: 'remove', path: '/spec/selector' },
    { op: 'test', path: '/apiVersion', value: 'v1' },
    { op: 'copy', from: '/metadata/name', path: '/spec/copied' },
    { op: 'move', from: '/spec', path: '/spec2' },
    { op: 'add', path: '/data', value: { k: 'v', 'k.x': '1' } },
    { op: 'replace', path: '/metadata/name', value: 'renamed' },
    { op: 'add', path: '/spec/list/-', value: { name: 'z' } },
    { op: 'add', path: '/spec/list/0', value: { name: 'first' } },
  ]
  const chosen = Array.from({ length: r.pick([1, 1, 2]) }, () =>
    r.pick(isCareful ? operations.slice(0, 5) : operations),
  )
  if (r.chance(0.5)) return JSON.stringify(chosen)
  return chosen
    .map(
      (one) =>
        `- op: ${one.op}\n  path: ${one.path}\n${'from' in one ? `  from: ${one.from}\n` : `  value: ${JSON.stringify(one.value)}\n`}`,
    )
    .join('')
}

function strategicText({ r, kinds, isCareful }: Wide): string {
  const known = kinds.filter((kind) => kind in API)
  const kind = r.pick(known.length > 0 ? known : ['Pod'])
  const name = kind === 'ConfigMap' ? 'cfg' : 'web'
  const head = `apiVersion: ${API[kind]}\nkind: ${kind}\nmetadata:\n  name: ${isCareful || r.chance(0.9) ? name : 'nope'}\n${isCareful ? '' : r.pick(['', '  namespace: one\n'])}${r.pick(['', '', '  labels: {p: "1"}\n', '  annotations: {a: b}\n', '  finalizers: [x/y]\n'])}`
  const one = head + bodyOf(r, kind)
  if (isCareful || r.chance(0.8)) return one
  return `${one}---\n${head}$patch: delete\n`
}

function bodyOf(r: Random, kind: string): string {
  if (kind === 'ConfigMap')
    return r.pick([
      'data: {a: c}\n',
      'data:\n  a: null\n  new: |\n    x\n',
      'data: {$patch: replace, only: "1"}\n',
      'binaryData: {q: Zg==}\n',
    ])
  if (kind === 'Service')
    return `spec:\n${r.pick(['  ports: [{port: 80, protocol: UDP, name: u}]\n', '  ports:\n  - {port: 90}\n  - {port: 80, $patch: delete}\n', '  ports: [{$patch: replace}, {port: 1}]\n', '  selector: null\n  type: NodePort\n', '  type: ExternalName\n'])}`
  if (kind === 'Thing')
    return `spec:\n${r.pick(['  list: [{name: c}]\n', '  text: changed\n  number: null\n', '  list: null\n  deep: {er: {x: 1}}\n', '  names: [$patch: delete]\n', '  json: "{}"\n', '  yaml: >\n    folded\n    text\n\n      more\n'])}`
  const pod = r.pick([
    'containers: [{name: main, image: "nginx:patched"}]',
    'containers: [{name: new, image: busybox}, {name: main, env: [{name: A, value: changed}]}]',
    'containers: [{name: main, ports: [{containerPort: 80, protocol: TCP}, {containerPort: 99}]}]',
    'containers: [{name: side, $patch: delete}]',
    'containers: [{$patch: replace}, {name: only, image: x}]',
    'volumes: [{name: v, emptyDir: {}, configMap: null}]',
    'volumes: [{name: v, $patch: delete}]',
    'imagePullSecrets: [{name: third}]',
    'topologySpreadConstraints: [{topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, maxSkew: 1}]',
    'hostAliases: [{ip: 1.2.3.4, hostnames: [b]}, {ip: 5.6.7.8}]',
    'containers: [{name: main, volumeMounts: [{mountPath: /a, name: other}, {mountPath: /z, name: v}]}]',
    'tolerations: [{key: k}]',
    'initContainers: [{name: init, image: null}]',
    'serviceAccountName: null',
    'affinity: {$patch: delete}',
  ])
  return kind === 'Pod'
    ? `spec:\n  ${pod}\n`
    : `spec:\n${r.chance(0.2) ? '  replicas: 4\n' : ''}  template:\n    spec:\n      ${pod}\n`
}

/** A replacement of any form, inline or in a file. */
export function wideReplacement(context: Wide, dir: string): Record<string, unknown> {
  const { r, files } = context
  const one = { ...sourceOf(context), targets: Array.from({ length: r.pick([1, 1, 2]) }, () => targetOf(context)) }
  if (dir === '' || r.chance(0.8)) return one
  const name = `replacement${files.size}.yaml`
  files.set(`${dir}/${name}`, JSON.stringify(r.pick<unknown>([one, [one], [one, one]])))
  return { path: name }
}

function sourceOf({ r, kinds, isCareful }: Wide): Record<string, unknown> {
  if (r.chance(isCareful && !kinds.includes('Thing') ? 1 : 0.2))
    return { sourceValue: r.pick(['web', '8080', 'true', '', 'a-b', '1.5']) }
  const kind = isCareful ? 'Thing' : r.pick(kinds.length > 0 ? kinds : ['Pod'])
  const sources: Record<string, unknown>[] = [
    { kind },
    {
      kind: 'Thing',
      fieldPath: r.pick([
        'spec.text',
        'spec.number',
        'spec.flag',
        'spec.list',
        'spec.list.[name=b].value',
        'spec.list.0',
        'spec.names.-',
        'spec.names.[=sec]',
        'spec.yaml',
        'spec.json',
      ]),
    },
    {
      kind: 'ConfigMap',
      name: 'cfg',
      fieldPath: r.pick(['data.a', 'data.url', 'data.[file.yaml]', 'data.file\\.yaml', 'data']),
    },
    {
      kind: 'Service',
      name: 'web',
      fieldPath: r.pick([
        'spec.ports.0.port',
        'spec.ports.[name=http].targetPort',
        'metadata.labels',
        'metadata.namespace',
      ]),
    },
    { kind, name: 'web', namespace: r.pick(['one', 'default']), fieldPath: 'metadata.name' },
    { group: 'apps', version: 'v1', kind: 'Deployment', fieldPath: 'spec.template.spec.containers.[name=main].image' },
  ]
  const source = r.pick(isCareful ? sources.slice(0, 2) : sources)
  const options = r.chance(isCareful ? 0 : 0.25)
    ? { options: { delimiter: r.pick([':', '.', '/', ' ']), index: r.pick([0, 1, 2]) } }
    : {}
  return { source: { ...source, ...options } }
}

function targetOf({ r, kinds, isCareful }: Wide): Record<string, unknown> {
  const kind = r.pick(kinds.length > 0 ? kinds : ['Pod'])
  const paths = [
    'metadata.labels.copied',
    'metadata.annotations.[x.y/z]',
    'metadata.annotations.a\\.b',
    'metadata.name',
    'metadata.namespace',
    'spec.text',
    'spec.number',
    'spec.list.[name=a].value',
    'spec.list.[name=[ab]].value',
    'spec.list.[name=new].deep.er',
    'spec.list.*.value',
    'spec.list.1.name',
    'spec.list.2',
    'spec.names.[=web]',
    'spec.names.0',
    'spec.json.a.b',
    'spec.json.l.[name=x].v',
    'spec.json.new',
    'spec.json.1.a',
    'spec.yaml.a.b',
    'spec.yaml.l.0.name',
    'spec.yaml.k',
    'spec.template.spec.containers.[name=main].image',
    'spec.template.spec.containers.*.env.[name=A].value',
    'spec.template.metadata.annotations.deep',
    'spec.ports.[port=80].targetPort',
    'spec.rules.0.host',
    'data.a',
    'data.[file.yaml].x.y',
    'data.url',
    'spec.none.a',
  ]
  if (isCareful) return carefulTarget(r)
  return {
    select: r.pick<Record<string, string>>([
      { kind },
      { kind, name: 'web' },
      { kind: 'Thing' },
      { kind: 'ConfigMap', name: 'c.*' },
      { labelSelector: 'app=web' },
      { group: 'apps' },
      { name: 'web' },
      { namespace: 'default' },
    ]),
    ...(r.chance(0.2)
      ? {
          reject: [
            r.pick<Record<string, string>>([
              { kind: 'Pod' },
              { name: 'd.' },
              { labelSelector: 'v=1' },
              { namespace: 'one' },
            ]),
          ],
        }
      : {}),
    ...(r.chance(0.95) ? { fieldPaths: [r.pick(paths), ...(r.chance(0.15) ? [r.pick(paths)] : [])] } : {}),
    ...(r.chance(0.7)
      ? {
          options: r.pick<Record<string, unknown>>([
            { create: true },
            { create: true },
            { delimiter: ':', index: 0 },
            { delimiter: '/', index: -1 },
            { delimiter: '.', index: 9 },
            { delimiter: ',', index: 1, create: true },
          ]),
        }
      : {}),
  }
}

/** A target that most objects have, or of a kind that has the field. */
function carefulTarget(r: Random): Record<string, unknown> {
  const things = [
    'spec.text',
    'spec.list.[name=a].value',
    'spec.list.*.value',
    'spec.names.[=web]',
    'spec.names.0',
    'spec.json.a.b',
    'spec.json.new',
    'spec.yaml.a.b',
    'spec.yaml.l.0.name',
    'spec.yaml.k',
    'spec.list.[name=new].deep.er',
  ]
  const options = r.pick<Record<string, unknown>>([
    { create: true },
    { create: true, delimiter: ':', index: 0 },
    { create: true, delimiter: '/', index: -1 },
    { create: true, delimiter: '.', index: 9 },
  ])
  if (r.chance(0.5)) return { select: { kind: 'Thing' }, fieldPaths: [r.pick(things)], options }
  const fieldPaths = [
    r.pick(['metadata.labels.copied', 'metadata.annotations.[x.y/z]', 'metadata.annotations.a\\.b', 'data.fresh']),
  ]
  const select = r.pick<Record<string, string>>([
    { name: 'web' },
    { kind: '.*Set' },
    { group: 'apps' },
    { labelSelector: 'app=web' },
  ])
  return {
    select,
    ...(r.chance(0.2) ? { reject: [{ kind: 'Pod' }, { name: 'd.' }] } : {}),
    fieldPaths,
    options: { create: true },
  }
}
