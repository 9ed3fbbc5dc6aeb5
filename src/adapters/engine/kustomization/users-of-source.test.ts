import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseKustomization } from '../../../kinds/kustomization.ts'
import type { KustomizationTools } from './memory.ts'
import { usersBehind } from './users-of-source.ts'

const REVISION = 'main@sha1:a'
const of = (conditions: Readonly<Record<string, string>>, lastAttemptedRevision = REVISION) =>
  parseKustomization({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'app', namespace: 'ns' },
    spec: { interval: '1h', prune: true, sourceRef: { kind: 'GitRepository', name: 'app' } },
    status: {
      lastAttemptedRevision,
      conditions: Object.entries(conditions).map(([type, status]) => ({
        ...{ type, status, reason: 'R', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
      })),
    },
  })

/** What kustomize-controller 1.9.4 asks of those whose source is deleted. */
const users = {
  ready: of({ Ready: 'True' }),
  'ready for another revision': of({ Ready: 'True' }, 'main@sha1:b'),
  'failed, and tried again': of({ Reconciling: 'True', Ready: 'False' }),
  'failed before it could try': of({ Reconciling: 'True', Ready: 'False' }, ''),
  'held up': of({ Ready: 'False' }),
  new: of({}, ''),
}

test('a source that is deleted is noticed at once by those that had not dealt with its last revision', () => {
  const found: Readonly<Record<string, unknown>> = users
  const tools = {
    usersOf: () => Object.keys(users),
    find: (key: string) => found[key],
  } as unknown as KustomizationTools
  const want = ['ready for another revision', 'failed before it could try', 'held up', 'new']
  assert.deepEqual(usersBehind(tools, 'GitRepository/ns/app', REVISION), want)
  assert.deepEqual(usersBehind(tools, 'GitRepository/ns/app', ''), [], 'a source that never had anything')
})
