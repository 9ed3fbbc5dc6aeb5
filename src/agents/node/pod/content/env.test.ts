import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandOf, expandVariables, resolveEnv, wholeEnv, type EnvSources } from './env.ts'
import { parseQuantity } from './fields.ts'
import type { Container, Pod } from '../shapes.ts'

const container: Container = { name: 'web', image: 'web:1', resources: { limits: { cpu: '1500m', memory: '64Mi' } } }
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web-1', namespace: 'shop', labels: { app: 'web' } },
  spec: { containers: [container] },
}
const sources: EnvSources = {
  pod,
  ip: '10.42.0.7',
  hostIp: '10.42.0.1',
  configMap: (name) => (name === 'settings' ? { mode: 'fast', 'bad=key': 'x' } : undefined),
  secret: (name) => (name === 'keys' ? { token: 's3cret' } : undefined),
  file: (volume, path) => `A='of ${volume}/${path}'`,
  services: [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'api-gateway' },
      spec: { clusterIP: '10.96.0.5', ports: [{ name: 'http', port: 80 }] },
    },
  ],
}

test('variables come from the image, Services, envFrom and env, in this order; none refers to those of the image', () => {
  const declared = resolveEnv(
    {
      ...container,
      envFrom: [{ prefix: 'CFG_', configMapRef: { name: 'settings' } }],
      env: [
        { name: 'A', value: '$(CFG_mode)-$(B)-$$(A)-$(PATH)' },
        { name: 'X', value: 'own' },
        { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
        { name: 'APP', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
        { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'MEM', valueFrom: { resourceFieldRef: { resource: 'limits.memory' } } },
        { name: 'NONE', valueFrom: { configMapKeyRef: { name: 'settings', key: 'none', optional: true } } },
      ],
    },
    sources,
  )
  const env = wholeEnv('web-1', ['PATH=/bin', 'X=a=b', 'Y=a=b', 'API_GATEWAY_SERVICE_PORT=1'], declared)
  assert.deepEqual(Object.fromEntries(env), {
    HOSTNAME: 'web-1',
    API_GATEWAY_SERVICE_HOST: '10.96.0.5',
    API_GATEWAY_SERVICE_PORT: '80',
    API_GATEWAY_SERVICE_PORT_HTTP: '80',
    API_GATEWAY_PORT: 'tcp://10.96.0.5:80',
    API_GATEWAY_PORT_80_TCP: 'tcp://10.96.0.5:80',
    API_GATEWAY_PORT_80_TCP_ADDR: '10.96.0.5',
    API_GATEWAY_PORT_80_TCP_PORT: '80',
    API_GATEWAY_PORT_80_TCP_PROTO: 'tcp',
    PATH: '/bin',
    X: 'own',
    Y: 'a=b',
    CFG_mode: 'fast',
    A: 'fast-$(B)-$(A)-$(PATH)',
    TOKEN: 's3cret',
    APP: 'web',
    IP: '10.42.0.7',
    MEM: '67108864',
  })
})

test('what is missing is named', () => {
  const missing = (env: Container['env']) => () => resolveEnv({ ...container, ...(env ? { env } : {}) }, sources)
  assert.throws(
    missing([{ name: 'A', valueFrom: { configMapKeyRef: { name: 'no', key: 'k' } } }]),
    /configmap "no" not found/,
  )
  assert.throws(
    missing([{ name: 'A', valueFrom: { secretKeyRef: { name: 'keys', key: 'k' } } }]),
    /couldn't find key k in Secret shop\/keys/,
  )
  assert.throws(
    missing([{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.nope' } } }]),
    /"spec.nope" is no field/,
  )
})

test('command and args replace Entrypoint and Cmd as Kubernetes says', () => {
  const image = { Entrypoint: ['node'], Cmd: ['server.js'] }
  const env = new Map([['PORT', '80']])
  assert.deepEqual(commandOf(container, image, env), ['node', 'server.js'])
  assert.deepEqual(commandOf({ ...container, args: ['-p', '$(PORT)'] }, image, env), ['node', '-p', '80'])
  assert.deepEqual(commandOf({ ...container, command: ['sh'] }, image, env), ['sh'])
})

const texts: readonly (readonly [text: string, want: string])[] = [
  ['$(PORT)', '80'],
  ['$(NO) $$', '$(NO) $'],
  ['$$(PORT)', '$(PORT)'],
  ['$(a b)', '1'],
  ['$(date $$)$(PORT)', '$(date $$)80'],
  ['$(PORT $x $', '$(PORT $x $'],
  ['$()', '$()'],
]
for (const [text, want] of texts)
  test(`${text} means ${want}`, () => {
    const env = new Map([
      ['PORT', '80'],
      ['a b', '1'],
    ])
    assert.equal(expandVariables(text, env), want)
  })

test('quantities', () => {
  assert.deepEqual(['250m', '2', '64Mi', '1e3', '1.5Gi', 'x', ''].map(parseQuantity), [
    0.25,
    2,
    67108864,
    1000,
    1610612736,
    undefined,
    undefined,
  ])
})

test('variables come from files of volumes', () => {
  const of = (key: string, optional?: boolean) =>
    resolveEnv(
      {
        ...container,
        env: [
          {
            name: 'V',
            valueFrom: { fileKeyRef: { volumeName: 'shared', path: 'a.env', key, ...(optional && { optional }) } },
          },
        ],
      },
      sources,
    ).get('V')
  assert.equal(of('A'), 'of shared/a.env')
  assert.equal(of('B', true), undefined)
  assert.throws(() => of('B'), /environment variable key "B" not found in file "a.env" of volume "shared"/)
})

test('a Service with an address of IPv6 is named with brackets', () => {
  const [service] = sources.services
  assert.ok(service)
  const six = { ...service, spec: { clusterIP: 'fd00::5', ports: [{ port: 80 }] } }
  const env = resolveEnv(container, { ...sources, services: [six] })
  assert.equal(env.get('API_GATEWAY_PORT'), 'tcp://[fd00::5]:80')
  assert.equal(env.get('API_GATEWAY_PORT_80_TCP'), 'tcp://[fd00::5]:80')
  assert.equal(env.get('API_GATEWAY_PORT_80_TCP_ADDR'), 'fd00::5')
})
