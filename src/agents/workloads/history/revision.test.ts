import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodTemplate } from '../shapes.ts'
import { byRevision, goText, revisionData, revisionHash, revisionName, templateOf } from './revision.ts'

// Recorded from kube-controller-manager v1.37.2: the name of the revision of this template.
const template: PodTemplate = {
  metadata: { labels: { app: 'api-gateway' } },
  spec: {
    schedulerName: 'fake',
    containers: [
      {
        name: 'api-gateway',
        image: 'registry/api-gateway:v1.2.3',
        imagePullPolicy: 'IfNotPresent',
        resources: {},
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
      },
    ],
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
  },
}

test('the hash of a revision is the one that Kubernetes computes', () => {
  assert.equal(revisionHash(goText(revisionData(template)), 0), '76ffdf5d76')
  const noted = { ...template, metadata: { ...template.metadata, annotations: { v: '2' } } }
  assert.equal(revisionHash(goText(revisionData(noted)), 0), '84b59c85d8')
  assert.notEqual(revisionHash(goText(revisionData(template)), 1), '76ffdf5d76')
})

test('a revision gives back its template', () => {
  const meta = { apiVersion: 'apps/v1', kind: 'ControllerRevision', metadata: { name: 'r' }, revision: 1 }
  assert.deepEqual(templateOf({ ...meta, data: revisionData(template) }), template)
  assert.equal(templateOf(meta), undefined)
})

const texts: [value: unknown, want: string][] = [
  [{ b: 1, a: [null, true] }, '{"a":[null,true],"b":1}'],
  [{ '10': 'x', '9': 'y', a: undefined, b: null }, '{"10":"x","9":"y"}'],
  ['a<b>&\u2028', '"a\\u003cb\\u003e\\u0026\\u2028"'],
]
for (const [value, want] of texts) test(`Go writes ${want}`, () => assert.equal(goText(value), want))

test('a long name leaves room for the hash', () => {
  assert.equal(revisionName('n'.repeat(250), 'hash'), `${'n'.repeat(223)}-hash`)
})

test('revisions go by number, then by age', () => {
  const one = (name: string, revision: number, creationTimestamp = '2026-01-01T00:00:00Z') => ({
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: { name, creationTimestamp },
    revision,
  })
  const sorted = [one('c', 10), one('b', 2, '2026-01-02T00:00:00Z'), one('a', 2), one('z', 1)].sort(byRevision)
  assert.deepEqual(
    sorted.map(({ metadata }) => metadata.name),
    ['z', 'a', 'b', 'c'],
  )
})
