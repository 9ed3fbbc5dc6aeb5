import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kubedOfFile } from '../../../../tests/support/kubed.ts'

// What the real kube-apiserver 1.37.2 answered to the same questions.
const { ask } = kubedOfFile()

const CORE = '/api/v1/namespaces/default'
const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }
const FORMS =
  'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf'
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/x.example.com/status'

const told = async (...asked: Parameters<typeof ask>): Promise<string> => {
  const { code, text } = await ask(...asked)
  const { message } = JSON.parse(text) as { message?: string }
  return `${code} ${message ?? ''}`.trim()
}

test('a namespace is finalized as it is updated', async () => {
  const finalize = (body: object): Promise<string> => told('PUT', '/api/v1/namespaces/fin/finalize', body)
  await ask('POST', '/api/v1/namespaces', { metadata: { name: 'fin', labels: { a: 'b' } } })
  assert.equal(
    await finalize({ kind: 'Namespace', apiVersion: 'v1', metadata: { name: 'other' } }),
    '400 the name of the object (other) does not match the name on the URL (fin)',
  )
  assert.equal(
    await finalize({ kind: 'Pod', apiVersion: 'v1', metadata: { name: 'fin' } }),
    '400 Pod in version "v1" cannot be handled as a Namespace: converting (v1.Pod) to (core.Namespace): unknown conversion',
  )
  assert.equal(
    await finalize({ metadata: { name: 'fin', resourceVersion: '1' } }),
    '409 Operation cannot be fulfilled on namespaces "fin": the object has been modified; please apply your changes to the latest version and try again',
  )
  assert.match(
    await finalize({ metadata: { name: 'fin' }, spec: { finalizers: ['x'] } }),
    /^422 .*spec\.finalizers\[0\]: /,
  )
  assert.equal(await finalize({ metadata: { name: 'fin' }, spec: { finalizers: ['a/b'] } }), '200')
  const { metadata, spec } = JSON.parse((await ask('GET', '/api/v1/namespaces/fin')).text) as {
    metadata: { labels: object }
    spec: object
  }
  assert.deepEqual([metadata.labels, spec], [{ 'kubernetes.io/metadata.name': 'fin' }, { finalizers: ['a/b'] }])
})

test('what a subresource does not read is told of its own kind', async () => {
  const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  await ask('POST', `${CORE}/pods`, pod)
  for (const [at, kind] of [
    ['pods/p/binding', 'Binding'],
    ['pods/p/eviction', 'Eviction'],
    ['serviceaccounts/default/token', 'TokenRequest'],
  ])
    assert.match(
      await told('POST', `${CORE}/${at}`, [], {}),
      new RegExp(`^400 the object provided is unrecognized \\(must be of type ${kind}\\)`),
    )
  for (const part of ['ephemeralcontainers', 'resize'])
    assert.equal(await told('GET', `${CORE}/pods/p/${part}`, undefined, TABLE), `406 ${FORMS}`)
})

test('a size is put with its name', async () => {
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const spec = { selector: { a: 'b' }, template, replicas: 0 }
  await ask('POST', `${CORE}/replicationcontrollers`, { metadata: { name: 'r' }, spec })
  assert.equal(
    await told('PUT', `${CORE}/replicationcontrollers/r/scale`, {}),
    '400 the name of the object (r based on URL) was undeterminable: name must be provided',
  )
})

test('the server of definitions knows no kinds of others, and has no table of their status', async () => {
  await ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: 'x.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'x', kind: 'X' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  })
  assert.equal(
    await told('PUT', CRD, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x.example.com' } }),
    '400 Pod in version "v1" cannot be handled as a CustomResourceDefinition: no kind "Pod" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"',
  )
  assert.equal(await told('GET', CRD, undefined, TABLE), `406 ${FORMS}`)
})

test('a pod that is resized gets what the limits of its namespace say', async () => {
  const at = '/api/v1/namespaces/narrow'
  await ask('POST', '/api/v1/namespaces', { metadata: { name: 'narrow' } })
  await ask('POST', `${at}/pods`, { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } })
  const limits = [{ type: 'Container', default: { cpu: '1' }, max: { cpu: '2' } }]
  await ask('POST', `${at}/limitranges`, { metadata: { name: 'l' }, spec: { limits } })
  const type = { 'content-type': 'application/merge-patch+json' }
  assert.equal(
    await told('PATCH', `${at}/pods/p/resize`, {}, type),
    '422 Pod "p" is invalid: spec: Invalid value: "BestEffort": Pod QOS Class may not change as a result of resizing',
  )
})

// As LimitRanger has it, which is no part of what was recorded.
test('the limits of its namespace say nothing of a pod that is being deleted', async () => {
  const at = '/api/v1/namespaces/leaving'
  await ask('POST', '/api/v1/namespaces', { metadata: { name: 'leaving' } })
  const resources = { requests: { cpu: '3' } }
  const spec = { containers: [{ name: 'c', image: 'i', resources }] }
  await ask('POST', `${at}/pods`, { metadata: { name: 'p', finalizers: ['example.com/f'] }, spec })
  const limits = [{ type: 'Container', default: { memory: '1Gi' }, max: { cpu: '2' } }]
  await ask('POST', `${at}/limitranges`, { metadata: { name: 'l' }, spec: { limits } })
  const resize = (): ReturnType<typeof ask> => ask('PATCH', `${at}/pods/p/resize`, {})
  assert.equal((await resize()).code, 422)
  await ask('DELETE', `${at}/pods/p`)
  const { code, body } = await resize()
  assert.equal(code, 200)
  assert.deepEqual(body.spec.containers[0].resources, resources)
})
