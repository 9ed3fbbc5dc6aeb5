import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideKustomization, type KustomizationSeen } from '../../controllers/kustomization.ts'
import { parseKustomization } from '../../kinds/kustomization.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/object.ts'
import { planTakeover } from '../../pipeline/apply/rules.ts'
import type { SharedCaches } from '../kube/shared-caches.ts'
import type { Selection } from '../kube/types.ts'
import type { EngineContext } from './context.ts'
import { DEFAULT_FLAGS, type EngineFlags, narrowCaches } from './flags.ts'
import { fetchDecryption } from './kustomization/build/decryption.ts'
import { hasAccount, openTargets } from './kustomization/apply/target.ts'

// What each flag of Flux's controllers does, piece by piece; tests/engine/engine.test.ts has the engine whole.
const kustomization = (spec: Record<string, unknown> = {}) =>
  parseKustomization({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'app', namespace: 'ns', finalizers: ['finalizers.fluxcd.io'] },
    spec: { interval: '10m', prune: true, sourceRef: { kind: 'GitRepository', name: 'app' }, ...spec },
  } as KubeObject)

/** An API server with some objects by `Kind/namespace/name`, which tells whose rights are used. */
function contextWith(flags: Partial<EngineFlags>, objects: Record<string, object> = {}) {
  const used: string[] = []
  const client = {
    get: async ({ kind, namespace, name }: ObjectRef) => objects[`${kind}/${namespace}/${name}`],
    as: (user: string) => (used.push(user), client),
  }
  const caches = { open: () => ({ onChange: () => () => undefined, close: () => undefined }), close: () => undefined }
  const fixed = { traps: 'safe', namespace: 'flux-system', flags: { ...DEFAULT_FLAGS, ...flags } }
  return { used, context: { ...fixed, client, caches } as unknown as EngineContext }
}

const accounts: { it: string; flag: string; spec?: Record<string, unknown>; want: string[] }[] = [
  { it: 'no account: the engine has its own rights', flag: '', want: [] },
  { it: 'the default, in its own namespace', flag: 'flux', want: ['system:serviceaccount:ns:flux'] },
  {
    it: 'its own before the default',
    flag: 'flux',
    spec: { serviceAccountName: 'own' },
    want: ['system:serviceaccount:ns:own'],
  },
]
for (const { it, flag, spec, want } of accounts)
  test(`--default-service-account: a Kustomization uses ${it}`, async () => {
    const { used, context } = contextWith({ defaultServiceAccount: flag })
    const targets = openTargets(context)
    const { account } = await targets.of('ns/app', kustomization(spec))
    assert.deepEqual([used, account], [want, want.join().replace('system:serviceaccount:ns:', 'ns/')])
    targets.close()
  })

test('--default-service-account: what is deleted does not wait for an account that is gone', async () => {
  const there = { 'ServiceAccount/ns/flux': {} }
  assert.equal(await hasAccount(contextWith({ defaultServiceAccount: 'flux' }, there).context, kustomization()), true)
  assert.equal(await hasAccount(contextWith({ defaultServiceAccount: 'flux' }).context, kustomization()), false)
  assert.equal(await hasAccount(contextWith({}).context, kustomization()), true)
})

const secret = (entries: Record<string, string>) => ({
  data: Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
})
const sops = (name?: string) =>
  kustomization({ decryption: { provider: 'sops', ...(name && { secretRef: { name } }) } })
const shared = { sopsAgeSecret: 'sops-age' }

test('--sops-age-secret: its age keys count where a Kustomization names no Secret', async () => {
  const objects = { 'Secret/flux-system/sops-age': secret({ 'a.agekey': 'none', 'b.asc': 'ignored' }) }
  await assert.rejects(fetchDecryption(contextWith(shared, objects).context, sops()), (error: Error) =>
    /failed to import 'a\.agekey' data from sops decryption Secret 'flux-system\/sops-age'/.test(error.message),
  )
  const found = await fetchDecryption(contextWith({}, objects).context, sops())
  assert.notEqual(found, undefined, 'without the flag nobody looks there')
})
test('--sops-age-secret: a Secret that is named comes first', async () => {
  const objects = { 'Secret/flux-system/sops-age': secret({ 'a.agekey': 'none' }), 'Secret/ns/own': secret({}) }
  assert.ok(await fetchDecryption(contextWith(shared, objects).context, sops('own')))
})
test('--sops-age-secret: one that is missing is named', async () => {
  const { context } = contextWith(shared)
  await assert.rejects(fetchDecryption(context, sops()), {
    message: 'secrets "sops-age" not found',
    hint: /^keys are not in Git; put them into the cluster: kubectl -n flux-system create secret generic sops-age /,
  })
  assert.equal(await fetchDecryption(context, kustomization()), undefined)
})

test('--override-manager: fields of that manager are taken over as those of kubectl', () => {
  const entry = (manager: string) => ({
    manager,
    operation: 'Update',
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1: {},
  })
  const live = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', managedFields: [entry('rancher-agent')] } }
  assert.equal(planTakeover(live as KubeObject, 'kustomize-controller'), undefined)
  assert.match(
    JSON.stringify(planTakeover(live as KubeObject, 'kustomize-controller', ['rancher'])),
    /managedFields","value":\[\{"manager":"kustomize-controller"/,
  )
})

test('--requeue-dependency: is when a missing source is looked at again, and what is said', () => {
  const seen = { kustomization: kustomization(), nowMs: 0, random: 0, dueInMs: 0, dependencyRetryMs: 300_000 }
  const more = { terminationLookInMs: 0, source: { kind: 'no artifact' }, dependencies: [], health: [] }
  const decision = decideKustomization({ ...seen, ...more } as unknown as KustomizationSeen)
  assert.equal(decision.kind === 'wait' && decision.afterMs, 300_000)
  assert.match(JSON.stringify(decision), /Source artifact not found, retrying in 5m0s/)
})

const KS = 'kustomize.toolkit.fluxcd.io/v1'
const ALERT = 'notification.toolkit.fluxcd.io/v1beta3'
const opened: { flags: Partial<EngineFlags>; apiVersion: string; want: Partial<Selection> }[] = [
  { flags: {}, apiVersion: KS, want: {} },
  { flags: { watchSelector: 'a=b' }, apiVersion: KS, want: { labelSelector: 'a=b' } },
  { flags: { watchSelector: 'a=b' }, apiVersion: ALERT, want: {} },
  { flags: { watchSelector: 'a=b' }, apiVersion: 'apps/v1', want: {} },
  { flags: { watchAllNamespaces: false }, apiVersion: ALERT, want: { namespace: 'flux-system' } },
  { flags: { watchAllNamespaces: false }, apiVersion: 'v1', want: {} },
  {
    flags: { watchAllNamespaces: false, watchSelector: '!x' },
    apiVersion: KS,
    want: { namespace: 'flux-system', labelSelector: '!x' },
  },
]
for (const { flags, apiVersion, want } of opened)
  test(`watching ${apiVersion} with ${JSON.stringify(flags)}`, () => {
    const asked: Selection[] = []
    const caches = { open: (selection: Selection) => void asked.push(selection), close: () => undefined }
    const narrow = narrowCaches(caches as unknown as SharedCaches, { ...DEFAULT_FLAGS, ...flags }, 'flux-system')
    narrow.open({ apiVersion, kind: 'Any' })
    assert.deepEqual(asked, [{ apiVersion, kind: 'Any', ...want }])
  })
