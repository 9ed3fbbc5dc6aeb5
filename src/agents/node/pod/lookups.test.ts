import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../../../adapters/kube/api-error.ts'
import { type KnownObjects, lookUp, lookUpVariables } from './lookups.ts'
import type { Pod } from './shapes.ts'

const projection = (signerName: string) => ({ podCertificate: { signerName, keyType: 'ED25519', keyPath: signerName } })
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'a', uid: 'p-uid' },
  spec: {
    containers: [],
    volumes: [{ name: 'tls', projected: { sources: ['broken', 'one', 'two'].map(projection) } }],
  },
} as unknown as Pod

test('all certificates of a pod are asked for at once, and one that cannot be asked for is missing', async () => {
  let [waiting, most] = [0, 0]
  const certificates = {
    async credentialFor(_pod: Pod, _place: string, { signerName }: { readonly signerName: string }) {
      if (signerName === 'broken') throw new Error('the server is gone')
      most = Math.max(most, ++waiting)
      await new Promise((resolve) => setImmediate(resolve))
      waiting--
      return { key: signerName, chain: '' }
    },
    forget: () => undefined,
  }
  const lookups = await lookUp({ client: {}, tokens: {}, certificates } as unknown as Parameters<typeof lookUp>[0], pod)
  assert.equal(most, 2)
  assert.deepEqual(
    [0, 1, 2].map((at) => lookups.credential(`tls/${at}`)),
    [{ missing: 'the server is gone' }, { key: 'one', chain: '' }, { key: 'two', chain: '' }],
  )
})

test('trust bundles that cannot be read are missing, and nothing else is', async () => {
  const client = { list: () => Promise.reject(new Error('the server is gone')) }
  const volumes = [{ name: 'v', projected: { sources: [{ clusterTrustBundle: { name: 'b', path: 'ca' } }] } }]
  const of = { ...pod, spec: { ...pod.spec, volumes } } as unknown as Pod
  const lookups = await lookUp({ client, tokens: {}, certificates: {} } as unknown as Parameters<typeof lookUp>[0], of)
  assert.deepEqual(lookups.trustBundles, { missing: 'the server is gone' })
})

test('a ConfigMap, Secret or claim that cannot be read is the fault of who names it', async () => {
  const client = {
    get: ({ kind, name }: { kind: string; name: string }) =>
      name === 'broken'
        ? Promise.reject(new Error('the server is gone'))
        : Promise.resolve({ kind, metadata: { name }, data: { k: kind === 'Secret' ? 'dg==' : 'v' } }),
  }
  const names = ['broken', 'whole']
  const volumes = [
    ...names.map((name) => ({ name: `c-${name}`, configMap: { name } })),
    ...names.map((name) => ({ name: `s-${name}`, secret: { secretName: name } })),
    { name: 'claimed', persistentVolumeClaim: { claimName: 'broken' } },
  ]
  const of = { ...pod, spec: { ...pod.spec, volumes } } as unknown as Pod
  const lookups = await lookUp({ client, tokens: {}, certificates: {} } as unknown as Parameters<typeof lookUp>[0], of)
  const data = { k: Buffer.from('v') }
  assert.deepEqual([lookups.configMap('whole'), lookups.secret('whole')], [data, data])
  assert.throws(() => lookups.configMap('broken'), /^SluiceError: couldn't get configmap "broken": the server is gone$/)
  assert.throws(() => lookups.secret('broken'), /^SluiceError: couldn't get secret "broken": the server is gone$/)
  assert.deepEqual(lookups.claimed.get('claimed'), { refused: 'the server is gone' })
})

test('what was read before stands in for what a server that is away does not say, and for nothing that it refuses or does not have', async () => {
  const secret = { kind: 'Secret', metadata: { name: 's' }, data: { k: 'dg==' } }
  const env = [{ name: 'K', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }]
  const of = { ...pod, spec: { containers: [{ name: 'web', image: 'i', env }] } } as unknown as Pod
  const known: KnownObjects = new Map()
  const read = async (get: () => Promise<unknown>) => {
    const part = { client: { get }, tokens: {}, certificates: {} } as unknown as Parameters<typeof lookUp>[0]
    return (await lookUp(part, of, known)).secret('s')
  }
  const fail = (error: Error) => () => Promise.reject(error)
  const there = async () => secret
  const value = { k: Buffer.from('v') }
  assert.deepEqual(await read(there), value)
  assert.deepEqual(await read(fail(new Error('connect ECONNREFUSED'))), value)
  assert.deepEqual(await read(fail(new ApiError(503, 'ServiceUnavailable', 'etcd is away'))), value)
  await assert.rejects(read(fail(new ApiError(403, 'Forbidden', 'not yours'))), /not yours/)
  await assert.rejects(read(fail(new Error('connect ECONNREFUSED'))), /ECONNREFUSED/)
  assert.deepEqual(await read(there), value)
  assert.equal(await read(async () => undefined), undefined)
  await assert.rejects(read(fail(new Error('connect ECONNREFUSED'))), /ECONNREFUSED/)
})

test('all that a pod names is asked for at once, and for the variables of a container nothing else is', async () => {
  const asked: string[] = []
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  const client = {
    async get({ kind, name }: { kind: string; name: string }) {
      asked.push(`${kind} ${name}`)
      await opened
      return { metadata: { name } }
    },
  }
  const tokens = {
    async tokenFor(_: Pod, { audience }: { readonly audience: string }) {
      asked.push(`token ${audience}`)
      await opened
      return audience
    },
  }
  const web = { name: 'web', image: 'i', envFrom: [{ secretRef: { name: 'variables' } }] }
  const volumes = [
    ...['a', 'b'].map((name) => ({ name, configMap: { name } })),
    ...['c', 'd'].map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
    {
      name: 'e',
      projected: { sources: ['x', 'y'].map((audience) => ({ serviceAccountToken: { audience, path: audience } })) },
    },
  ]
  const of = { ...pod, spec: { containers: [web], volumes } } as unknown as Pod
  const part = { client, tokens, certificates: {} } as unknown as Parameters<typeof lookUp>[0]
  const lookups = lookUp(part, of)
  const all = ['ConfigMap a', 'ConfigMap b', 'PersistentVolumeClaim c', 'PersistentVolumeClaim d']
  assert.deepEqual([...asked].sort(), [...all, 'Secret variables', 'token x', 'token y'])
  open()
  await lookups
  asked.length = 0
  await lookUpVariables(part, of, web, new Map())
  assert.deepEqual(asked, ['Secret variables'])
})
