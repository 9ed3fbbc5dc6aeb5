import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseKustomization, type Kustomization } from '../kinds/kustomization.ts'
import { blockedBy, type DependencyState, findCycle } from './depends-on.ts'

const REVISION = 'main@sha1:b'
const GIT = { kind: 'GitRepository', name: 'vps' }

const named = (name: string, sourceRef: object, status: object): Kustomization =>
  parseKustomization({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: 'flux-system', generation: 2 },
    spec: { interval: '1m', prune: true, path: './', sourceRef },
    status,
  })
const app = named('app', GIT, {})
const ready = {
  observedGeneration: 2,
  lastAppliedRevision: REVISION,
  conditions: [{ type: 'Ready', status: 'True' }],
}
const on = (status: object, sourceRef: object = GIT): DependencyState => ({
  key: 'flux-system/infra',
  kustomization: named('infra', sourceRef, { ...ready, ...status }),
})

const cases: { it: string; dependency: DependencyState; want: string | undefined }[] = [
  { it: 'that is ready is waited for no more', dependency: on({}), want: undefined },
  {
    it: 'that is not there',
    dependency: { key: 'flux-system/infra', kustomization: undefined },
    want: `dependency 'flux-system/infra' not found: kustomizations.kustomize.toolkit.fluxcd.io "infra" not found`,
  },
  {
    it: 'that is not ready',
    dependency: on({ conditions: [{ type: 'Ready', status: 'False' }] }),
    want: "dependency 'flux-system/infra' is not ready",
  },
  {
    it: 'that was ready before it was changed',
    dependency: on({ observedGeneration: 1 }),
    want: "dependency 'flux-system/infra' is not ready",
  },
  {
    it: 'that is ready at another revision of the same source',
    dependency: on({ lastAppliedRevision: 'main@sha1:a' }),
    want: "dependency 'flux-system/infra' revision is not up to date",
  },
  {
    it: 'of a source of another kind with the same name has revisions of its own',
    dependency: on({ lastAppliedRevision: 'main@sha1:a' }, { ...GIT, kind: 'OCIRepository' }),
    want: undefined,
  },
  {
    it: 'whose readyExpr holds may be at any revision',
    dependency: { ...on({ lastAppliedRevision: 'main@sha1:a' }), expression: { isReady: true } },
    want: undefined,
  },
  {
    it: 'whose readyExpr does not hold is not ready, though it says so',
    dependency: { ...on({}), expression: { isReady: false } },
    want: "dependency 'flux-system/infra' is not ready according to readyExpr eval",
  },
]
for (const { it, dependency, want } of cases)
  test(`a dependency ${it}`, () => assert.equal(blockedBy(app, REVISION, [dependency])?.message, want))

const cycles: {
  it: string
  graph: Readonly<Record<string, readonly string[]>>
  want: readonly string[] | undefined
}[] = [
  { it: 'of one is found', graph: { a: ['a'] }, want: ['a', 'a'] },
  { it: 'is told from where it was looked for', graph: { a: ['b', 'c'], b: [], c: ['a'] }, want: ['a', 'c', 'a'] },
  {
    it: 'that others are in is not that of who waits for them',
    graph: { a: ['b'], b: ['c'], c: ['b'] },
    want: undefined,
  },
  { it: 'is none where two wait for the same', graph: { a: ['b', 'c'], b: ['d'], c: ['d'] }, want: undefined },
]
for (const { it, graph, want } of cycles)
  test(`a cycle of dependencies ${it}`, () =>
    assert.deepEqual(
      findCycle('a', (key) => graph[key] ?? []),
      want,
    ))
