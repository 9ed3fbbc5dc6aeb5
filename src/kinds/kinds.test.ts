import assert from 'node:assert/strict'
import { test } from 'node:test'
import { intervalOf, NEVER_MS, renderInterval } from './duration.ts'
import { handledRequest, isRequested } from './flux-object.ts'
import { parseGitRepository } from './git-repository.ts'
import { parseImageRepository } from './image.ts'
import { parseKustomization } from './kustomization.ts'
import { parseReceiver } from './receiver.ts'

const object = (kind: string, interval: string) => ({
  apiVersion: 'x/v1',
  kind,
  metadata: { name: 'a', namespace: 'n' },
  spec: { interval },
})

for (const [kind, parse] of Object.entries({
  GitRepository: parseGitRepository,
  ImageRepository: parseImageRepository,
  Kustomization: parseKustomization,
  Receiver: parseReceiver,
}))
  test(`an interval of 0s lets a ${kind} wait for a change or a request, one of 1m for a minute`, () => {
    assert.equal(parse(object(kind, '0s')).intervalMs, NEVER_MS)
    assert.equal(parse(object(kind, '1m')).intervalMs, 60_000)
  })

test('an interval is shown as it was written', () => {
  assert.deepEqual([0, 60_000].map(intervalOf).map(renderInterval), ['0s', '1m0s'])
})

for (const [written, mode] of [
  ['head', 'HEAD'],
  ['HEAD', 'HEAD'],
  [undefined, 'HEAD'],
  ['Tag', 'Tag'],
  ['TagAndHEAD', 'TagAndHEAD'],
] as const)
  test(`spec.verify.mode ${written} means ${mode}`, () => {
    const verify = { secretRef: { name: 'keys' }, ...(written ? { mode: written } : {}) }
    const found = parseGitRepository({ ...object('GitRepository', '1m'), spec: { verify } })
    assert.equal(found.verify?.mode, mode)
  })

const requests: readonly (readonly [
  it: string,
  requestedAt: string | undefined,
  handled: string,
  isAsked: boolean,
  shown: object,
])[] = [
  ['nobody ever made', undefined, '', false, {}],
  ['that was handled', 'a', 'a', false, { lastHandledReconcileAt: 'a' }],
  ['that is new', 'b', 'a', true, { lastHandledReconcileAt: 'b' }],
  ['that was taken back after it was handled', undefined, 'a', false, { lastHandledReconcileAt: 'a' }],
  ['that was emptied, as in Flux,', '', 'a', true, { lastHandledReconcileAt: undefined }],
  ['that is empty and handled', '', '', false, {}],
]
for (const [it, requestedAt, lastHandledReconcileAt, isAsked, shown] of requests)
  test(`a request ${it} ${isAsked ? 'asks for a look' : 'asks for nothing'}`, () => {
    assert.equal(isRequested({ requestedAt, lastHandledReconcileAt }), isAsked)
    assert.deepEqual(handledRequest({ requestedAt, lastHandledReconcileAt }), shown)
  })
