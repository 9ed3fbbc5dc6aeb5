import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseKustomization } from '../../../../kinds/kustomization.ts'
import type { SluiceError } from '../../../../lib/error/sluice-error.ts'
import type { KubeObject, ObjectRef } from '../../../../lib/kube/object.ts'
import { ApiError } from '../../../kube/api-error.ts'
import type { SharedCaches } from '../../../kube/shared-caches.ts'
import type { KubeClient } from '../../../kube/types.ts'
import { applyObjects } from './apply.ts'
import { createLiveObjects } from './live-objects.ts'
import { applyError } from './refused.ts'
import type { Target } from './target.ts'

const kustomization = parseKustomization({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'app', namespace: 'ns' },
  spec: { interval: '1h', prune: true, sourceRef: { kind: 'GitRepository', name: 'app' } },
})

/** A cluster that is empty, takes whatever is rehearsed, and refuses to make `full`. */
function emptyTarget(): Target {
  const made = new Set<string>()
  const client = {
    resource: async (_: string, kind: string) => ({ namespaced: kind !== 'Namespace', verbs: ['list', 'watch'] }),
    get: async (ref: ObjectRef) => (made.has(ref.name) ? { ...ref, metadata: { name: ref.name } } : undefined),
    async patch({ name }: ObjectRef, _: string, object: KubeObject, { dryRun }: { dryRun?: boolean }) {
      if (dryRun) return object
      if (name === 'full') throw new ApiError(403, 'Forbidden', 'exceeded quota')
      made.add(name)
      return { ...object, metadata: { ...object.metadata, resourceVersion: '1' } }
    },
  } as unknown as KubeClient
  const cache = { ready: Promise.resolve(), get: () => undefined, onChange: () => undefined, close: () => undefined }
  const caches = { open: () => cache } as unknown as SharedCaches
  const context = {
    client,
    caches,
    traps: 'flux',
    stageKinds: new Set(),
    clock: { nowMs: () => 0, monotonicMs: () => 0 },
    flags: {},
  }
  return { context, live: createLiveObjects(client, caches), account: '' } as unknown as Target
}

test('what was applied of a stage that fails is told apart from the stages before it', async () => {
  const object = (kind: string, name: string): KubeObject => ({
    apiVersion: 'v1',
    kind,
    metadata: { name, ...(kind === 'Namespace' ? {} : { namespace: 'ns' }) },
  })
  const told: string[] = []
  const tools = {
    target: emptyTarget(),
    holds: () => false,
    tellOwner: () => undefined,
    onPlan: async () => undefined,
    isAsked: false,
  }
  const built = [object('ConfigMap', 'a'), object('ConfigMap', 'full'), object('Namespace', 'new')]
  const watch = {
    onChange: ({ ref, action }: { ref: ObjectRef; action: string }) => told.push(`${ref.name} ${action}`),
    onStage: () => told.push('end of a stage'),
  }
  await assert.rejects(applyObjects(tools, kustomization, built, watch), {
    message: 'ConfigMap/ns/full apply failed: exceeded quota\n',
  })
  assert.deepEqual(told, ['new created', 'end of a stage', 'a created'])
})

/** Flux's words, recorded from kustomize-controller 1.9.4. */
const refusals: readonly (readonly [it: string, error: ApiError, want: string])[] = [
  ['a refusal', new ApiError(422, 'Invalid', 'no'), 'ConfigMap/ns/a dry-run failed (Invalid): no\n'],
  [
    'a webhook that is away',
    new ApiError(500, 'InternalError', 'no'),
    'ConfigMap/ns/a dry-run failed (InternalError): no\n',
  ],
  ['a field of a wrong type', new ApiError(500, '', 'no'), 'ConfigMap/ns/a dry-run failed: no\n'],
  ['a namespace that is not there', new ApiError(404, 'NotFound', 'no'), 'ConfigMap/ns/a not found: no\n'],
]
for (const [it, error, want] of refusals)
  test(`${it} is told with the reason that the server gives`, () =>
    assert.equal(
      applyError({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'ns', name: 'a' }, error, 'dry-run failed').message,
      want,
    ))

for (const [message, retry] of [
  ['failed to create typed patch object (ns/a; /v1, Kind=ConfigMap): .data.x: expected string', 'spec'],
  ['failed to convert new object (ns/a; /v1, Kind=Secret) to proper version: illegal base64 data', 'spec'],
  ['etcdserver: request timed out', 'backoff'],
] as const)
  test(`"${message.slice(0, 40)}" ${retry === 'spec' ? 'waits for another commit' : 'passes by itself'}`, () => {
    const ref = { apiVersion: 'v1', kind: 'Secret', namespace: 'ns', name: 'a' }
    const error = applyError(ref, new ApiError(500, '', message), 'dry-run failed')
    assert.equal((error as SluiceError).retry, retry)
  })

for (const [apiVersion, message] of [
  [
    'apps',
    'failed to get API group resources: unable to retrieve the complete list of server APIs: apps: converting (v1.APIGroup) to (v1.APIResourceList): unknown conversion',
  ],
  ['nope', 'no matches for kind "Deployment" in version "nope"'],
] as const)
  test(`a Deployment of version "${apiVersion}" is told of as client-go does`, async () => {
    const target = emptyTarget()
    const client = {
      ...target.context.client,
      resource: async () => undefined,
      raw: async (_: string, path: string) =>
        path === '/apis/apps' ? { status: 200, text: '{"kind":"APIGroup"}' } : { status: 404, text: '' },
    }
    const context = { ...target.context, client }
    const tools = {
      target: { ...target, context, live: createLiveObjects(client, context.caches) },
      holds: () => false,
      tellOwner: () => undefined,
      onPlan: async () => undefined,
      isAsked: false,
    }
    const built = [{ apiVersion, kind: 'Deployment', metadata: { name: 'd', namespace: 'ns' } }]
    const watch = { onChange: () => undefined, onStage: () => undefined }
    await assert.rejects(applyObjects(tools, kustomization, built, watch), {
      message: `Deployment/ns/d dry-run failed: ${message}\n`,
    })
  })

for (const annotation of ['reconcile: disabled', 'ssa: Ignore'])
  test(`an object that Git leaves alone (${annotation}) may be of a kind that the server lacks, and without a namespace`, async () => {
    const target = emptyTarget()
    const client = { ...target.context.client, resource: async () => undefined }
    const context = { ...target.context, client }
    const tools = {
      target: { ...target, context, live: createLiveObjects(client, context.caches) },
      holds: () => false,
      tellOwner: () => undefined,
      onPlan: async () => undefined,
      isAsked: false,
    }
    const [field = '', value = ''] = annotation.split(': ')
    const annotations = { [`kustomize.toolkit.fluxcd.io/${field}`]: value }
    const told: string[] = []
    await applyObjects(
      tools,
      kustomization,
      [{ apiVersion: 'nope.example.com/v1', kind: 'Thing', metadata: { name: 't', annotations } }],
      { onChange: ({ ref, action }) => told.push(`${ref.name} ${action}`), onStage: () => undefined },
    )
    assert.deepEqual(told, ['t skipped'])
  })
