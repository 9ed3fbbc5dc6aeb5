import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseGitRepository } from '../kinds/git-repository.ts'
import { read, readList } from '../lib/kube/read.ts'
import { WORDS } from './git-repository.ts'
import { decideSource } from './source.ts'

test('a source that is suspended while it fails says of its progress and readiness alone that they are of this generation', () => {
  const condition = (type: string) => ({ type, status: 'True', reason: 'R', message: '', observedGeneration: 2 })
  const source = parseGitRepository({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'a', namespace: 'n', generation: 3, finalizers: ['finalizers.fluxcd.io'] },
    spec: { url: 'https://git.example/a', interval: '1m', suspend: true },
    status: { conditions: ['Reconciling', 'Ready', 'FetchFailed', 'ArtifactInStorage'].map(condition) },
  })
  const decision = decideSource({ source, nowMs: 0, random: 0, dueInMs: 0, failures: 1, knownMs: 60_000 }, WORDS)
  assert.ok(decision.kind === 'done')
  assert.deepEqual(
    readList(decision.status.status, 'conditions').map((one) => [read(one, 'type'), read(one, 'observedGeneration')]),
    [
      ['Reconciling', 3],
      ['Ready', 3],
      ['FetchFailed', 2],
      ['ArtifactInStorage', 2],
    ],
  )
})
