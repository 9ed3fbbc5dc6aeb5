import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { IgnoreTarget } from '../../src/kinds/kustomization.ts'
import { refOf, type KubeObject } from '../../src/lib/kube/object.ts'
import type { FieldChange } from '../../src/pipeline/apply/compare-fields.ts'
import { compileIgnore, withoutPaths } from '../../src/pipeline/apply/ignore.ts'
import { normalize } from '../../src/pipeline/apply/normalize.ts'
import { planDiff, type ObjectDiff } from '../../src/pipeline/apply/plan-diff.ts'
import { type Api, targets } from '../kube/server.ts'
import { type FluxRow as Row, fluxSkip as skip, fluxTable } from '../support/flux-tables.ts'

// Tables of Flux's comparison of Git with a cluster, each row asked of an API server. Flux writes differences as JSON patches there; ours are
// those of `diff`: which objects are created or drift, and in which fields.
const rows = (name: string): Row[] => fluxTable('ssa-jsondiff.json', name)

let api: Api
before(async () => {
  const kubed = targets.find(({ name }) => name === 'kubed')
  assert.ok(kubed)
  api = await kubed.start()
})
after(() => api.close())

const container = { name: 'podinfod', image: 'ghcr.io/stefanprodan/podinfo:6.0.3', ports: [{ containerPort: 9898 }] }
/** Objects of the shape of those that the tables name by their files. */
const FILES: Record<string, KubeObject & Row> = {
  deployment: {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
    metadata: { name: 'podinfo', annotations: { 'kubernetes.io/ingress.class': 'i' }, labels: { app: 'podinfo' } },
    spec: {
      selector: { matchLabels: { app: 'podinfo' } },
      template: { metadata: { labels: { app: 'podinfo' } }, spec: { containers: [container] } },
    },
  },
  service: {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'podinfo' } },
    spec: { type: 'ClusterIP', selector: { app: 'podinfo' }, ports: [{ name: 'http', port: 9898, protocol: 'TCP' }] },
  },
  'empty-configmap': { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'configmap-data' } },
  'annotated-configmap': {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'configmap-data', annotations: { prev: 'some' } } },
  },
  'empty-secret': { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'secret-data' } },
}

/** Does to an object what a Go function of the tables does; `undefined`: it is not there. */
function mutate(code: string | undefined, object: KubeObject & Row): (KubeObject & Row) | undefined {
  if (code === undefined) return object
  if (/\.Object = nil/.test(code)) return undefined
  const only = /GetKind\(\) != "(\w+)" \{ return/.exec(code)?.[1]
  if (only !== undefined && only !== object.kind) return object
  const copy = structuredClone(object)
  for (const part of partsFor(code, object.kind)) {
    for (const [, value = '', path = ''] of part.matchAll(/SetNestedField\(\w+\.Object, (\S+), ([^)]*)\)/g))
      put(
        copy,
        [...path.matchAll(/"([^"]*)"/g)].map(([, key = '']) => key),
        goValue(value),
      )
    for (const [, map = '', key = ''] of part.matchAll(/SetNestedMap\(\w+\.Object, \S+\{([^}]*)\}, "(\w+)"/g))
      put(
        copy,
        [key],
        Object.fromEntries([...map.matchAll(/"(\w+)": "(\w+)"/g)].map(([, name, value]) => [name, value])),
      )
    for (const [, map = '', key = '', value] of part.matchAll(/(labels|annotations)\["(\w+)"\] = "(\w+)"/g))
      put(copy, ['metadata', map, key], value)
    const { containers } = copy['spec']?.template?.spec ?? {}
    if (/append\(containers/.test(part)) containers.push({ name: 'nginx', image: 'nginx:latest' })
    if (/containers\[0\]/.test(part)) containers[0].image = 'nginx:latest'
  }
  return /normalize\.Unstructured/.test(code) ? normalize(copy) : copy
}

/** The statements that concern a kind. */
function partsFor(code: string, kind: string): string[] {
  const [, own = '', other = ''] = /case "ConfigMap": (.*) default: (.*)/.exec(code) ?? []
  if (own) return [kind === 'ConfigMap' ? own : other]
  const blocks = [...code.matchAll(/if \w+\.GetKind\(\) == "(\w+)" \{ ([^}]*) \}/g)]
  if (blocks.length === 0) return [code]
  return blocks.filter(([, of]) => of === kind).map(([, , block = '']) => block)
}

function put(object: Row, [key = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) object[key] = value
  else put((object[key] ??= {}) as Row, rest, value)
}

const goValue = (code: string): unknown =>
  code.startsWith('float64') ? Number(/\((\d+)\)/.exec(code)?.[1]) : code.replaceAll('"', '')

/** What an exclusion of the tables says by a label or annotation of its own, ours says by Flux's. */
const EXCLUDED: Readonly<Record<string, string>> = { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' }
const withRule = (object: KubeObject & Row, by: Row | undefined): KubeObject & Row => {
  const { labels, annotations } = object.metadata
  const isOut = Object.entries(by ?? {}).some(([key, value]) => labels?.[key] === value || annotations?.[key] === value)
  return isOut ? { ...object, metadata: { ...object.metadata, annotations: { ...annotations, ...EXCLUDED } } } : object
}

/** Asks the server for one object as the tables do: `undefined` when it refuses. */
async function ask(
  object: KubeObject & Row,
  namespace: string,
  query: string,
): Promise<(KubeObject & Row) | undefined> {
  const plural = `${object.kind.toLowerCase()}s`
  const base = object.apiVersion === 'v1' ? '/api/v1' : `/apis/${object.apiVersion}`
  const path = `${base}/namespaces/${namespace}/${plural}/${object.metadata.name}?fieldManager=table&force=true${query}`
  const { code, body } = await api.call('PATCH', path, object, 'application/apply-patch+yaml')
  return code < 300 ? (body as unknown as KubeObject & Row) : undefined
}

let spaces = 0
/** Plans the differences of one row; what the server refuses is told by name. */
async function differences(row: Row): Promise<{ diffs: readonly ObjectDiff[]; refused: number }> {
  const namespace = `row-${++spaces}`
  await api.call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  const [option] = (row['opts'] ?? []) as unknown[]
  const by = option !== null && typeof option === 'object' && !Array.isArray(option) ? (option as Row) : undefined
  const paths: string[] = (row['paths'] ?? [row['path']]).map((one: string) => one.replace(/testdata\/|\.yaml/g, ''))
  const all = []
  let refused = 0
  for (const path of paths) {
    const start = FILES[path] as KubeObject & Row
    const cluster = mutate(row['mutateCluster']?.$go, start)
    const desired = mutate(row['mutateDesired']?.$go, start)
    assert.ok(desired)
    const live = cluster && (await ask(cluster, namespace, ''))
    const after = live && (await ask(desired, namespace, '&dryRun=All'))
    if (live && !after) refused++
    const ignored = ignoreOf(option)(desired)
    const seen = (object: (KubeObject & Row) | undefined) => object && withRule(withoutPaths(object, ignored), by)
    const isWholeIgnored = ignored.includes('')
    if (!isWholeIgnored && !(live && !after))
      all.push({ ref: refOf(desired), wanted: withRule(desired, by), live: seen(live), after: seen(after) })
  }
  return { diffs: planDiff(all), refused }
}

function ignoreOf(option: unknown): (object: KubeObject) => readonly string[] {
  if (!Array.isArray(option)) return () => []
  const pathOf = (path: unknown): string => (typeof path === 'string' ? path : '')
  if (option.every((one) => (one as Row)['Paths'] === undefined)) return () => option.map(pathOf)
  return compileIgnore(
    option.map(({ Paths, Selector }: Row) => ({ paths: Paths, target: { kind: Selector?.Kind } as IgnoreTarget })),
  )
}

/** Fields as both ways of writing differences name them: two steps deep, no further than a list. */
const fieldOf = (steps: readonly string[]): string => steps.slice(0, steps[0] === 'data' ? 1 : 2).join('.')
function fieldsOf(change: FieldChange): string[] {
  const steps = change.path === '(root level)' ? [] : change.path.split('.')
  if (change.kind !== 'entries' || steps.length > 1) return [fieldOf(steps)]
  return Object.entries({ ...change.removed, ...change.added }).flatMap(([key, value]) =>
    key === 'metadata' ? Object.keys(value as Row).map((inner) => `metadata.${inner}`) : fieldOf([...steps, key]),
  )
}
const shownOf = (diffs: readonly ObjectDiff[]): string[] =>
  diffs.map((diff) =>
    diff.kind === 'drifted' ? `Update ${[...new Set(diff.changes.flatMap(fieldsOf))].sort().join(' ')}` : 'Create',
  )
function wantedOf(code: string): string[] {
  return code
    .split(/Type: +DiffType/)
    .slice(1)
    .map((part): string => {
      const fields = [...part.matchAll(/Path: "\/([^"]*)"/g)].map(([, path = '']) => fieldOf(path.split('/')))
      return `${/^\w+/.exec(part)?.[0]} ${[...new Set(fields)].sort().join(' ')}`.trim()
    })
    .filter((text) => /^(Update|Create)/.test(text))
}

test('the tables of differences are there', { skip }, () => assert.ok(rows('TestUnstructured').length > 0))

for (const name of ['TestUnstructured', 'TestUnstructuredList'])
  for (const row of rows(name))
    test(`${name}: ${row['name']}`, async () => {
      const { diffs, refused } = await differences(row)
      assert.equal(refused > 0, row['wantErr'] ?? false)
      // Without "graceful" there Flux tells of nothing when one object is refused; `diff` goes on and names it.
      if (!row['wantErr'] || row['opts']) assert.deepEqual(shownOf(diffs), wantedOf(row['want'].$go))
      if (JSON.stringify(row['opts'] ?? '').includes('MaskSecrets(true)') && row['name'].includes('Secret'))
        assert.doesNotMatch(JSON.stringify(diffs), /YmFy|YmF6/)
    })

/** `float64(2)` in a value of the tables. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (typeof (value as Row)['$go'] === 'string') return goValue((value as Row)['$go'])
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
}
for (const name of ['Test_diffUnstructured', 'Test_diffUnstructuredMetadata'])
  for (const row of rows(name))
    test(`${name}: ${row['name']}`, () => {
      const whole = (side: Row): KubeObject => {
        const { metadata, ...rest } = plain(side['Object']) as Row
        return {
          apiVersion: 'v1',
          kind: 'Thing',
          ...rest,
          metadata: { ...metadata, name: 'n' },
        } as unknown as KubeObject
      }
      const ignored = [...JSON.stringify(row['opts'] ?? '').matchAll(/Ignores\(\\"([^"\\]*)\\"/g)].map(
        ([, path = '']) => path,
      )
      const [live, wanted] = [whole(row['x']), whole(row['y'])].map((one) => withoutPaths(one, ignored)) as [
        KubeObject,
        KubeObject,
      ]
      // What an apply answers keeps the labels and annotations that it does not name.
      const kept = (map: 'labels' | 'annotations') => ({ ...live.metadata[map], ...wanted.metadata[map] })
      const after = {
        ...wanted,
        metadata: { ...wanted.metadata, labels: kept('labels'), annotations: kept('annotations') },
      }
      const before = {
        ...live,
        metadata: {
          ...live.metadata,
          labels: live.metadata.labels ?? {},
          annotations: live.metadata.annotations ?? {},
        },
      }
      const fields = (row['want'] ?? []).map(({ Path }: Row) => fieldOf(Path.split('/').slice(1)))
      const diffs = planDiff([{ ref: refOf(wanted), wanted, live: before, after }])
      assert.deepEqual(shownOf(diffs), fields.length === 0 ? [] : [`Update ${[...new Set(fields)].sort().join(' ')}`])
    })
