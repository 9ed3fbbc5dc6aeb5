import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type KubeObject, refOf } from '../../src/lib/kube/object.ts'
import { conditionOf, readList } from '../../src/lib/kube/read.ts'
import { apply, inWorld, kustomization, NS, refTo, startKubed, until, type World } from '../support/engine-world.ts'

// A cluster that Flux ran until now: its objects as kustomize-controller 1.9.4 applied and owns them, its Kustomization as it left it.
const FLUX = 'kustomize-controller'
const OWNER = { 'kustomize.toolkit.fluxcd.io/name': 'app', 'kustomize.toolkit.fluxcd.io/namespace': NS }
const POD = { containers: [{ name: 'a', image: 'a:1', resources: {} }] }

/** By file in Git: what is written there, and what Flux sent of it to the server. */
const OBJECTS: readonly (readonly [manifest: string, applied: KubeObject])[] = [
  [
    'apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a:1}]}}}\n',
    object('batch/v1', 'Job', 'migrate', { template: { metadata: {}, spec: { restartPolicy: 'Never', ...POD } } }),
  ],
  [
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: a, image: a:1}]}}\n',
    object('apps/v1', 'Deployment', 'web', {
      selector: { matchLabels: { app: 'web' } },
      strategy: {},
      template: { metadata: { labels: { app: 'web' } }, spec: POD },
    }),
  ],
  [
    'apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: nightly}\nspec:\n  schedule: "0 3 * * *"\n  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a:1}]}}}}\n',
    object('batch/v1', 'CronJob', 'nightly', {
      schedule: '0 3 * * *',
      jobTemplate: {
        metadata: {},
        spec: { template: { metadata: {}, spec: { restartPolicy: 'Never', ...POD } } },
      },
    }),
  ],
  [
    'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n',
    object('v1', 'Service', 'web', { selector: { app: 'web' }, ports: [{ port: 80, protocol: 'TCP', targetPort: 0 }] }),
  ],
]

function object(apiVersion: string, kind: string, name: string, spec: object): KubeObject {
  return { apiVersion, kind, metadata: { name, namespace: NS, labels: OWNER }, spec } as KubeObject
}

for (const traps of ['safe', 'flux'] as const)
  test(`a cluster that Flux left is taken over without a write to what it applied, --traps ${traps}`, () =>
    inWorld(startKubed, traps, takeOver))

const KUSTOMIZATION = refTo('kustomize.toolkit.fluxcd.io/v1', 'Kustomization', 'app')
const HISTORY = {
  digest: 'sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945',
  firstReconciled: '2026-11-27T13:13:46Z',
  lastReconciled: '2026-11-27T13:14:23Z',
  lastReconciledDuration: '1.11893138s',
  lastReconciledStatus: 'ReconciliationSucceeded',
  totalReconciliations: 2,
}

async function takeOver(world: World): Promise<void> {
  const { client, push, writes } = world
  const commit = await push(Object.fromEntries(OBJECTS.map(([text], at) => [`deploy/${at}.yaml`, text])), 'first')
  for (const [, applied] of OBJECTS) await client.patch(refOf(applied), 'apply', applied, { fieldManager: FLUX })
  await leaveAsFluxDid(world, commit)
  const before = await readAll(client)
  writes.length = 0
  await client.patch(KUSTOMIZATION, 'merge', { spec: { suspend: false } }, { fieldManager: 'flux' })
  const left = await until(client, 'app', (found) => readList(found, 'status', 'history').length > 1)
  assert.deepEqual(await readAll(client), before, 'no object has another version')
  assert.deepEqual(
    writes.filter((write) => /^(?:apply|json) (?:Job|Deployment|CronJob|Service)/.test(write)),
    [],
  )
  assert.deepEqual(
    readList(left, 'status', 'history').at(-1),
    { ...HISTORY, metadata: { revision: `main@sha1:${commit}` } },
    'what Flux noted is kept',
  )
  assert.equal(conditionOf(left, 'Ready')?.message, `Applied revision: main@sha1:${commit}`)
}

/** The source and the Kustomization, suspended until all of it stands. */
async function leaveAsFluxDid({ client, url }: World, commit: string): Promise<void> {
  const revision = `main@sha1:${commit}`
  const app = kustomization('app', './deploy', { force: true, suspend: true })
  await apply(client, { ...app, metadata: { ...app.metadata, finalizers: ['finalizers.fluxcd.io'] } })
  const at = { lastTransitionTime: '2026-11-27T13:14:23Z', observedGeneration: 1 }
  const ready = { type: 'Ready', status: 'True', reason: 'ReconciliationSucceeded', ...at }
  const status = {
    conditions: [{ ...ready, message: `Applied revision: ${revision}` }],
    observedGeneration: 1,
    lastAppliedRevision: revision,
    lastAttemptedRevision: revision,
    inventory: {
      entries: OBJECTS.map(([, { apiVersion, kind, metadata }]) => entryOf(apiVersion, kind, metadata.name)),
    },
    history: [{ ...HISTORY, metadata: { revision } }],
  }
  await client.patch(KUSTOMIZATION, 'merge', { status }, { subresource: 'status', fieldManager: FLUX })
  await apply(client, {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'app', namespace: NS },
    spec: { interval: '1h', url, ref: { branch: 'main' } },
  })
}

function entryOf(apiVersion: string, kind: string, name: string): object {
  const [version = '', group = ''] = apiVersion.split('/').reverse()
  return { id: `${NS}_${name}_${group}_${kind}`, v: version }
}

async function readAll(client: World['client']): Promise<readonly (string | undefined)[]> {
  const found = await Promise.all(OBJECTS.map(([, applied]) => client.get(refOf(applied))))
  return found.map((object) => `${object?.kind} ${object?.metadata.uid} ${object?.metadata.resourceVersion}`)
}
