import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kubedOfFile } from '../../../../tests/support/kubed.ts'
import type { Json } from '../../../lib/kube/json.ts'
import { inexactIn, spellingOf } from './number-text.ts'

// What the real kube-apiserver 1.37.2 makes of numbers that are spelled as few write them.
const { ask } = kubedOfFile()

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const PODS = '/api/v1/namespaces/default/pods'

const deployment = (spec: string): string => {
  const template = '{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}'
  return `{"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":${template},${spec}}}`
}

const INTO = 'into Go struct field DeploymentSpec.spec.replicas of type int32'
const refused: { it: string; spec: string; want: string }[] = [
  { it: 'a point', spec: '"replicas":1.0', want: `number 1.0 ${INTO}` },
  { it: 'a power', spec: '"replicas":1e2', want: `number 1e2 ${INTO}` },
  { it: 'many digits', spec: '"replicas":9007199254740993', want: `number 9007199254740993 ${INTO}` },
  {
    it: 'a point where texts may stand, too',
    spec: '"strategy":{"rollingUpdate":{"maxSurge":1.0}}',
    want: 'number 1.0 into Go struct field RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type int32',
  },
]
for (const { it, spec, want } of refused)
  test(`a whole number is not written with ${it}`, async () => {
    const { code, body } = await ask('POST', `${DEPLOYMENTS}?dryRun=All`, deployment(spec))
    const start = 'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal '
    assert.deepEqual([code, body.message], [400, start + want])
  })

test('a quantity keeps the form of its number', async () => {
  const requests = '{"cpu":1e30,"memory":12345678901234567890123}'
  const spec = `{"containers":[{"name":"c","image":"i","resources":{"requests":${requests}}}]}`
  const { body } = await ask('POST', `${PODS}?dryRun=All`, `{"metadata":{"name":"p"},"spec":${spec}}`)
  assert.deepEqual(body.spec.containers[0].resources.requests, { cpu: '1e30', memory: '12345678901234567890123' })
})

test('options of a delete are read as closely, also where the kind is no type of Go', async () => {
  const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }]
  const spec = { group: 'x.io', names: { plural: 'things', kind: 'Thing' }, scope: 'Namespaced', versions }
  const defined = await ask('POST', DEFINITIONS, { metadata: { name: 'things.x.io' }, spec })
  assert.equal(defined.code, 201, defined.text)
  const things = '/apis/x.io/v1/namespaces/default/things'
  const { code, body } = await ask('DELETE', `${things}/none`, '{"gracePeriodSeconds":1.0}')
  const into = 'into Go struct field DeleteOptions.gracePeriodSeconds of type int64'
  assert.deepEqual([code, body.message], [400, `json: cannot unmarshal number 1.0 ${into}`])
})

test('a number that would be another one is refused by name, not kept', async () => {
  const spec = '{"containers":[{"name":"c","image":"i"}],"terminationGracePeriodSeconds":9223372036854775807}'
  const { code, body } = await ask('POST', PODS, `{"metadata":{"name":"p"},"spec":${spec}}`)
  assert.equal(code, 400)
  assert.match(body.message, /^kubed does not keep the number 9223372036854775807 exactly/)
})

test('in a custom resource such a number is warned of, however it is written', async () => {
  const versions = [
    {
      ...{ name: 'v1', served: true, storage: true },
      schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    },
  ]
  const spec = { group: 'z.io', names: { plural: 'things', kind: 'Thing' }, scope: 'Namespaced', versions }
  const defined = await ask('POST', DEFINITIONS, { metadata: { name: 'things.z.io' }, spec })
  assert.equal(defined.code, 201, defined.text)
  const things = '/apis/z.io/v1/namespaces/default/things'
  const head = '"apiVersion":"z.io/v1","kind":"Thing","metadata":{"name":"t"}'
  const number = '"num":9223372036854775807'
  const made = await ask('POST', `${things}?fieldValidation=Strict`, `{${head},${number}}`)
  const patched = await ask('PATCH', `${things}/t?fieldValidation=Ignore`, `{${number}}`)
  for (const { code, warning } of [made, patched]) {
    assert.ok(code < 300, String(code))
    assert.match(warning, /the number 9223372036854775807 exactly.*; it is kept as 9223372036854776000"/)
  }
})

test('an object of a defined kind is of no kind that its server knows otherwise', async () => {
  const { code, body } = await ask('POST', PODS, { apiVersion: 'x.io/v1', kind: 'Thing', metadata: { name: 'p' } })
  const why = 'no kind "Thing" is registered for version "x.io/v1" in scheme "pkg/runtime/scheme.go:111"'
  assert.deepEqual([code, body.message], [400, `Thing in version "v1" cannot be handled as a Pod: ${why}`])
})

test('a custom resource that ends within a string is refused at once', async () => {
  const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }]
  const spec = { group: 'y.io', names: { plural: 'things', kind: 'Thing' }, scope: 'Namespaced', versions }
  const defined = await ask('POST', DEFINITIONS, { metadata: { name: 'things.y.io' }, spec })
  assert.equal(defined.code, 201, defined.text)
  const start = process.cpuUsage().user
  // A string may begin at each of the quotes.
  const text = `{"n":1234567890123456,"s":"${'\\"'.repeat(100_000)}`
  const { code, body } = await ask('POST', '/apis/y.io/v1/namespaces/default/things', text)
  const seconds = (process.cpuUsage().user - start) / 1_000_000
  assert.deepEqual([code, /unexpected end of JSON input/.test(body.message)], [400, true])
  assert.ok(seconds < 3, `${seconds} s of processor time`)
})

const read = (text: string) => {
  const value = JSON.parse(text) as { [name: string]: Json[] }
  return { value, spelling: spellingOf(text, value) }
}

test('the last of two fields of a name counts, and texts are no numbers', () => {
  const { value, spelling } = read('{"a":[1.0],"a":[2,3.50,"4.0"],"b":":1.0,"}')
  assert.deepEqual([...(spelling?.get(value.a ?? []) ?? [])], [['1', '3.50']])
  assert.equal(read('{"image":"nginx:1.25","n":12}').spelling, undefined)
})

test('whole numbers are exact as far as floats are', () => {
  assert.equal(inexactIn('[9007199254740991,"9007199254740993",1e300,18446744073709551616]'), undefined)
  assert.equal(inexactIn('{"a":1700000000123456789}'), '1700000000123456789')
})
