import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { parseDependency } from '../../src/app/cli/create/create-kinds.ts'
import {
  type AutomationOutcome,
  decideImageUpdateAutomation,
  type AutomationSeen,
} from '../../src/controllers/image-update-automation.ts'
import { parseImageUpdateAutomation } from '../../src/kinds/image.ts'
import { readAnnotationRequest } from '../../src/kinds/requests.ts'
import { parseReceiver } from '../../src/kinds/receiver.ts'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { treeOfFiles } from '../../src/lib/kustomize/files/tree.ts'
import { comparable, normalize } from '../../src/pipeline/apply/normalize.ts'
import { parseStageKinds, stageOf } from '../../src/pipeline/apply/order.ts'
import { buildKustomization } from '../../src/pipeline/build/build-kustomization.ts'
import { isJob, vanishingJobs } from '../../src/pipeline/health/vanishing-jobs.ts'
import { claimsFault } from '../../src/pipeline/receiver/token-proof.ts'
import { isIgnored, readPatterns } from '../../src/pipeline/source/ignore.ts'
import { parseRevision, renderRevision } from '../../src/pipeline/source/revision.ts'
import { type FluxRow as Row, fluxSkip as skip, fluxTable as table } from '../support/flux-tables.ts'

// Tables of the packages that Flux's controllers share. Values that are Go code there are read by what they say.
/** The first text of Go code. */
const quoted = (code: { $go: string } | null): string => /"([^"]*)"/.exec(code?.$go ?? '')?.[1] ?? ''

test('the tables of packages are there', { skip }, () =>
  assert.ok(table('apis-meta.json', 'TestMakeDependsOn').length > 0),
)

for (const row of table('apis-meta.json', 'TestHandleAnnotationRequest'))
  test(`a request on top of a reconcile: ${row['name']}`, () => {
    const { ReconcileRequestAnnotation: requestedAt = '', requestAnnotation } = row['annotations']
    const { lastHandledReconcile: lastHandledReconcileAt = '', lastHandledRequest = '' } = row
    assert.deepEqual(
      readAnnotationRequest({ requestedAt, lastHandledReconcileAt }, requestAnnotation, lastHandledRequest),
      { isAsked: row['want'], lastHandled: row['expectLastHandledRequest'] },
    )
  })

for (const { name, deps, want } of table('apis-meta.json', 'TestMakeDependsOn'))
  test(`dependencies as words: ${name}`, () => assert.deepEqual(deps.map(parseDependency), want.map(dependencyOf)))

for (const { name, ref, want } of table('apis-meta.json', 'TestDependencyReferenceString'))
  test(`dependencies as words: ${name} is read back`, () => assert.deepEqual(parseDependency(want), dependencyOf(ref)))

function dependencyOf({ Namespace, Name, ReadyExpr }: Row): Row {
  return {
    name: Name,
    ...(Namespace === undefined ? {} : { namespace: Namespace }),
    ...(ReadyExpr === undefined ? {} : { readyExpr: ReadyExpr }),
  }
}

/** What is known of a hash, as the start of its digest; '' for what is no hash of a commit. */
const algorithmOf = (hash: string): string =>
  parseRevision(hash).hash === '' ? '' : (/^(\w+):/.exec(renderRevision('', hash))?.[1] ?? '')
for (const { name, hash, want } of table('git-revision.json', 'TestHash_Algorithm'))
  test(`algorithm of a hash: ${name}`, () =>
    assert.equal(algorithmOf(quoted(hash)), want.$id === 'HashTypeUnknown' ? '' : want.$id.slice(8).toLowerCase()))
for (const { name, hash, want } of table('git-revision.json', 'TestHash_Digest'))
  test(`digest of a hash: ${name}`, () => {
    const isKnown = want !== '' && !want.startsWith('<unknown>')
    assert.equal(algorithmOf(quoted(hash)) !== '', isKnown)
    if (isKnown) assert.equal(renderRevision('', quoted(hash)), want)
  })

const automation = parseImageUpdateAutomation({
  ...{ apiVersion: 'image.toolkit.fluxcd.io/v1', kind: 'ImageUpdateAutomation' },
  metadata: { name: 'a', namespace: 'n', generation: 1, finalizers: ['finalizers.fluxcd.io'] },
  spec: {
    interval: '1m',
    sourceRef: { kind: 'GitRepository', name: 'g' },
    git: { commit: { author: { email: 'e' } } },
  },
})
const REVISION = 'a718012f6b8a5a0a9cb1a2ff3a4a8c1ec8a2bbb1'
for (const { name, rev, commitMsg, refspecs, wantSummary, wantErr } of table(
  'runtime-misc.json',
  'source/TestPushResult_Summary',
))
  test(`summary of a push: ${name}`, () => {
    const commit: string = typeof rev === 'string' ? rev : rev === undefined ? '' : REVISION
    const message: string = commitMsg?.$id ? 'Update from image update automation' : (commitMsg ?? '')
    const outcome = {
      ...{
        kind: commit === '' ? 'up-to-date' : 'pushed',
        commit,
        branch: 'main',
        message,
        sourceRevision: 'r',
        problems: [],
      },
      ...(refspecs ? { refspec: refspecs.join("', '") } : {}),
    } as unknown as AutomationOutcome
    const seen = {
      automation,
      outcome,
      policies: {},
      traps: 'flux',
      nowMs: 0,
      random: 0.5,
    } as unknown as AutomationSeen
    const decision = decideImageUpdateAutomation({ ...seen, sourceRevision: 'r' }) as unknown as Row
    // Without a commit there was no push, and none is told.
    if (wantErr) return assert.doesNotMatch(JSON.stringify(decision), /pushed commit/)
    const want = /[`"](.*)[`"], (?:testRev|"foo")/s
      .exec(wantSummary.$go)?.[1]
      ?.replace("'%s'", `'${commit.slice(0, 7)}'`)
      .replace("'%s'", "'main'")
      .replaceAll('\\n', '\n')
    assert.equal(decision['status'].event.message.replace(/\s+/g, ' ').trim(), want?.replace(/\s+/g, ' ').trim())
  })

for (const { name, provider, claims, errContains } of table(
  'notification-server.json',
  'TestOIDCClaimsProcessor_Evaluate',
))
  test(`claims of a token: ${name}`, () => {
    const lower = (list: Row[] = []) => list.map((one) => mapKeys(one))
    const { oidcProviders } = parseReceiver({
      ...{ apiVersion: 'notification.toolkit.fluxcd.io/v1', kind: 'Receiver', metadata: { name: 'r', namespace: 'n' } },
      spec: {
        ...{ type: 'generic-oidc', resources: [] },
        oidcProviders: [
          {
            ...{ issuerURL: provider.IssuerURL, audience: provider.Audience },
            ...{ variables: lower(provider.Variables), validations: lower(provider.Validations) },
          },
        ],
      },
    })
    const fault = claimsFault(oidcProviders[0] as never, claims)
    if (errContains) assert.ok(fault?.includes(errContains), fault)
    else assert.equal(fault, undefined)
  })

function mapKeys(row: Row): Row {
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [key[0]?.toLowerCase() + key.slice(1), value]))
}

for (const { name, apiVersion, kind, want } of table('ssa-units.json', 'TestIsJob'))
  test(`jobs: ${name}`, () => assert.equal(isJob({ apiVersion, kind }), want))

for (const { name, objects, want } of table('ssa-units.json', 'TestExtractJobsWithTTL'))
  test(`jobs that go by themselves: ${name}`, () => assert.equal(vanishingJobs(objects.map(madeObject)).size, want))

/** `makeJob("test-job", "default", int64Ptr(300))` of Go. */
function madeObject({ $go: code }: Row): KubeObject {
  const [, kind = '', name = '', namespace = ''] = /^make(\w+)\("([^"]*)", "([^"]*)"/.exec(code) ?? []
  const ttl = /int64Ptr\((\d+)\)/.exec(code)?.[1]
  const spec = ttl === undefined ? {} : { ttlSecondsAfterFinished: Number(ttl) }
  return { apiVersion: kind === 'Job' ? 'batch/v1' : 'v1', kind, metadata: { name, namespace }, spec } as KubeObject
}

for (const { name, object, want } of table('ssa-units.json', 'TestNormalizeDryRunUnstructured'))
  test(`answers of a rehearsal: ${name}`, () => {
    const metricsOf = (side: Row): Row =>
      (comparable({ metadata: {}, ...side['Object'] } as unknown as KubeObject) as Row)['spec'].metrics
    assert.deepEqual(metricsOf(object), want.Object.spec.metrics)
  })

for (const { name, want } of table('sourceignore.json', 'TestLoadExcludePatterns'))
  test(`patterns of files in folders: ${name}`, () => {
    for (const { $go: code } of want as Row[]) {
      const [file = '', ...folders] = [...code.matchAll(/"([^"]+)"/g)].map(([, text]) => text)
      const patterns = readPatterns(file, folders as string[])
      assert.ok(isIgnored(patterns, [...(folders as string[]), 'deep', file], false), code)
      if (folders.length > 0) assert.equal(isIgnored(patterns, [file], false), false)
    }
  })

for (const { name, expectedAction } of table('kustomize-generator.json', 'TestGenerateManifest'))
  test(`generated manifest: ${name}`, () => {
    const file = (kind: string) => `apiVersion: v1\nkind: ${kind}\nmetadata: {name: a}\n`
    const written = new Map([
      ['/kustomization.yaml', 'resources: [./deployment.yaml, ./config.yaml]\nnamespace: apps\n'],
      ...['deployment', 'config'].map((one) => [`/${one}.yaml`, file(one === 'config' ? 'ConfigMap' : 'Pod')] as const),
    ])
    const isThere = expectedAction.$go.endsWith('UnchangedAction')
    const build = () =>
      buildKustomization({ tree: treeOfFiles(isThere ? written : new Map()), path: './', spec: {}, traps: 'flux' })
    if (isThere)
      assert.deepEqual(
        build().objects.map(({ metadata }) => metadata.namespace),
        ['apps', 'apps'],
      )
    else assert.deepEqual(build().objects, [])
  })

for (const { name, input, expected } of table('ssa-units.json', 'TestParseGroupKindSet'))
  test(`kinds of a stage of their own: ${name}`, () => {
    const want = Object.keys(Array.isArray(expected) ? {} : expected).map((key) => JSON.parse(key) as Row)
    assert.deepEqual(
      [...(parseStageKinds(input) ?? [])],
      want.map(({ Group, Kind }) => `${Group}/${Kind}`),
    )
    const [first] = want
    const apiVersion = first?.['Group'] ? `${first['Group']}/v1` : 'v1'
    if (first) assert.equal(stageOf({ apiVersion, kind: first['Kind'] }, parseStageKinds(input)), 'custom')
  })

const SOURCE_FAULTS: Record<string, RegExp> = {
  'unsupported source ref kind': /InvalidSourceConfiguration: source kind 'HelmChart' not supported/,
  'empty gitSpec': /InvalidSourceConfiguration: source kind 'GitRepository' necessitates field .spec.git/,
  'refer cross namespace source with crossnamespace disabled': /AccessDenied: can't access 'GitRepository\/foo-ns\/g'/,
}
for (const { name, objSpec, opts, wantErr } of table('runtime-misc.json', 'source/TestNewSourceManager'))
  test(`source of an automation: ${name}`, () => {
    const { Kind, Namespace: namespace } = objSpec.SourceRef
    const sourceRef = { kind: typeof Kind === 'string' ? Kind : 'GitRepository', name: 'g', namespace }
    const seen = {
      policies: {},
      traps: 'flux',
      nowMs: 0,
      random: 0.5,
      sourceRevision: 'r',
    } as unknown as AutomationSeen
    const decision = decideImageUpdateAutomation({
      ...seen,
      crossNamespace: opts === undefined,
      automation: parseImageUpdateAutomation({
        ...{ apiVersion: 'image.toolkit.fluxcd.io/v1', kind: 'ImageUpdateAutomation' },
        metadata: { name: 'a', namespace: 'n', generation: 1, finalizers: ['finalizers.fluxcd.io'] },
        spec: { interval: '1m', sourceRef, ...(objSpec.GitSpec ? { git: {} } : {}) },
      }),
    }) as unknown as Row
    if (!wantErr) return assert.deepEqual(decision['changes'], ['run'])
    const [stalled] = decision['status'].status.conditions
    assert.match(`${stalled.reason}: ${stalled.message}`, SOURCE_FAULTS[name] ?? /AccessDenied|InvalidSource/)
  })

for (const { name, object, wantErr } of table('ssa-units.json', 'TestFromUnstructured'))
  test(`objects as they are: ${name}`, () => {
    // Go wants a type for each; here a kind that nobody knows is as good as any.
    const { metadata, ...rest } = object.Object
    const got = normalize(object.Object) as Row
    // Structs that hold nothing are Go's, and ours.
    const full = JSON.stringify({ ...got, metadata: got['metadata'] }, (_key, value) =>
      isDeepStrictEqual(value, {}) ? undefined : value,
    )
    assert.deepEqual(JSON.parse(full), { ...rest, metadata }, String(wantErr))
  })

for (const { name, u } of table('ssa-jsondiff.json', 'Test_copyAnnotationsAndLabels'))
  test(`labels and annotations count: ${name}`, () => {
    const { metadata = {}, ...rest } = u.Object
    const { labels, annotations } = comparable({ metadata, ...rest }) as Row
    assert.deepEqual([labels, annotations], [metadata.labels ?? {}, metadata.annotations ?? {}])
  })
