import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodTemplate } from '../shapes.ts'
import { podTemplateHash } from './hash.ts'
import { dumpQuantity } from './quantity.ts'

// Recorded from kube-controller-manager v1.37.2: the name of the ReplicaSet of this template. (35 more in tests/kubed/workloads.test.ts.)
const template: PodTemplate = {
  metadata: { labels: { app: 'api-gateway' } },
  spec: {
    containers: [
      {
        name: 'api-gateway',
        image: 'registry/api-gateway:v1.2.3',
        resources: {},
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        imagePullPolicy: 'IfNotPresent',
      },
    ],
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'fake',
  },
}

test('the hash of a template is the one that Kubernetes computes', () => {
  assert.equal(podTemplateHash(template), '5c569b4c5')
  const annotated = { ...template, metadata: { ...template.metadata, annotations: { 'fake/run': 'never' } } }
  assert.equal(podTemplateHash(annotated), '7f4b6c768c')
})

test('a collision count changes the hash, the order of keys does not', () => {
  assert.notEqual(podTemplateHash(template, 1), podTemplateHash(template))
  const { containers, ...rest } = template.spec
  assert.equal(
    podTemplateHash({ spec: { ...rest, containers }, metadata: template.metadata ?? {} }),
    podTemplateHash(template),
  )
})

// Computed by Kubernetes' own function for a template of one container.
const bordering: [it: string, container: object, want: string][] = [
  ['a power of two beyond 64 bits', { resources: { limits: { memory: '8Ei' } } }, '5fbb94b7d9'],
  ['a negative one', { resources: { limits: { memory: '-9Ei' } } }, '565dfd4848'],
  ['a power of ten beyond 64 bits', { resources: { limits: { cpu: '10E' } } }, 'f4c5cf974'],
  [
    'a resource without a divisor',
    { resources: {}, env: [{ name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } }] },
    '75475c6c4',
  ],
]
for (const [it, container, want] of bordering)
  test(`the hash of a template with ${it} is Kubernetes'`, () => {
    const spec = { containers: [{ name: 'c', ...container }] }
    assert.equal(podTemplateHash({ metadata: { labels: { app: 'a' } }, spec }), want)
  })

const quantities: [string, RegExp][] = [
  ['100m', /value:\(int64\)100 scale:\(resource.Scale\)-3\}.*s:\(string\)100m Format:\(resource.Format\)DecimalSI/],
  ['128Mi', /value:\(int64\)134217728 scale:\(resource.Scale\)0\}.*s:\(string\) Format:\(resource.Format\)BinarySI/],
  ['1Gi', /value:\(int64\)1073741824 .*s:\(string\)1Gi /],
  ['2', /value:\(int64\)2 scale:\(resource.Scale\)0\}.*s:\(string\)2 /],
  [
    '100000Gi',
    /Dec:\(\*inf.Dec\)\{unscaled:\(big.Int\)\{neg:\(bool\)false abs:\(big.nat\)\[\d+ \d+\]\} scale:\(inf.Scale\)9\}/,
  ],
]
for (const [text, want] of quantities)
  test(`a quantity ${text} is printed as Go holds it`, () => assert.match(dumpQuantity(text) ?? '', want))

test('what is no quantity is not printed', () => {
  for (const text of ['', 'abc', '1x', '.']) assert.equal(dumpQuantity(text), undefined)
})
