import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kubedOfFile } from '../../../../tests/support/kubed.ts'

const kubed = kubedOfFile()

type Meta = {
  labels?: Record<string, string>
  annotations?: Record<string, string>
  managedFields?: { manager: string; fieldsV1: Record<string, object> }[]
}
type Answer = { metadata: Meta; message?: string; data?: Record<string, string>; spec?: { nodeName?: string } }

const ask = async (method: string, path: string, body?: object): Promise<Answer> =>
  (await kubed.ask(method, `/api/v1${path}`, body)).body

test('the certificates of a namespace are put right, with what is said of them, and belong to their controller again', async () => {
  const path = '/namespaces/default/configmaps/kube-root-ca.crt'
  const { data } = await ask('GET', path)
  const change = { metadata: { annotations: null, labels: { own: 'x' } }, data: { 'ca.crt': 'bad', more: 'x' } }
  await ask('PATCH', `${path}?fieldManager=me`, change)
  const mended = await ask('GET', path)
  assert.deepEqual(mended.data, data)
  assert.deepEqual(mended.metadata.labels, { own: 'x' })
  assert.match(mended.metadata.annotations?.['kubernetes.io/description'] ?? '', /^Contains a CA bundle/)
  const owned = mended.metadata.managedFields?.filter(({ fieldsV1 }) => 'f:data' in fieldsV1)
  assert.deepEqual(
    owned?.map(({ manager }) => manager),
    ['kube-controller-manager'],
  )
})

test('a pod that is bound gets what the binding brings, and the place of its node', async () => {
  const labels = { 'topology.kubernetes.io/zone': 'z', 'topology.kubernetes.io/region': 'r', other: 'x' }
  await ask('POST', '/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n', labels } })
  const pod = (name: string, spec: object = {}): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
  })
  const pods = '/namespaces/default/pods'
  const bind = (name: string): Promise<Answer> =>
    ask('POST', `${pods}/${name}/binding`, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, labels: { mine: 'y' }, annotations: { note: 'z' } },
      target: { kind: 'Node', name: 'n' },
    })
  const place = { 'topology.kubernetes.io/zone': 'z', 'topology.kubernetes.io/region': 'r' }
  await ask('POST', pods, pod('bound'))
  await bind('bound')
  const bound = await ask('GET', `${pods}/bound`)
  assert.deepEqual(bound.metadata.labels, { mine: 'y', ...place })
  assert.deepEqual(bound.metadata.annotations, { note: 'z' })
  assert.deepEqual((await ask('POST', pods, pod('placed', { nodeName: 'n' }))).metadata.labels, place)
  await ask('POST', pods, pod('gated', { schedulingGates: [{ name: 'example.com/g' }] }))
  assert.match((await bind('gated')).message ?? '', /pod gated has non-empty \.spec\.schedulingGates$/)
})
