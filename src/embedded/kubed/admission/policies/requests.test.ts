import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, kubedOfFile } from '../../../../../tests/support/kubed.ts'

// What policies are told of a request, as kube-apiserver 1.37.2 tells it.
const { ask } = kubedOfFile()

const POLICIES = '/apis/admissionregistration.k8s.io/v1'
const MAPS = '/api/v1/namespaces/default/configmaps'
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'
const ROLES = '/apis/rbac.authorization.k8s.io/v1/clusterroles'

const resources = ['configmaps', 'clusterroles', 'deployments/scale']
const EVERYTHING = { resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources }] }

/** What is answered under a policy, which refuses everything unless `spec` has other validations. */
async function under(spec: object, send: () => Promise<Answer>): Promise<Answer> {
  const policy = { metadata: { name: 'p' }, spec: { matchConstraints: EVERYTHING, ...spec } }
  const made = await ask('POST', `${POLICIES}/validatingadmissionpolicies`, policy)
  assert.equal(made.code, 201, made.text)
  const binding = { metadata: { name: 'p' }, spec: { policyName: 'p', validationActions: ['Deny'] } }
  assert.equal((await ask('POST', `${POLICIES}/validatingadmissionpolicybindings`, binding)).code, 201)
  try {
    return await send()
  } finally {
    await ask('DELETE', `${POLICIES}/validatingadmissionpolicybindings/p`)
    await ask('DELETE', `${POLICIES}/validatingadmissionpolicies/p`)
  }
}

const refusing = (messageExpression: string): object => ({ validations: [{ expression: 'false', messageExpression }] })

const told = (field: string): string => `has(request.${field}) ? string(request.${field}) : '-'`
const WHAT = `[${['kind.kind', 'subResource', 'name', 'namespace'].map(told).join(', ')}].join(' ')`
const OPTIONS = `[${['kind', 'fieldManager', 'propagationPolicy'].map((field) => told(`options.${field}`)).join(', ')},
  has(request.options.dryRun) ? request.options.dryRun.join(',') : '-'].join(' ')`

const MAP = { metadata: { name: 'one' } }
const foreground = { propagationPolicy: 'Foreground' }
const scaled = { spec: { replicas: 2 } }

const cases: { it: string; send: () => Promise<Answer>; what: string; options: string }[] = [
  {
    it: 'a create that is tried only',
    send: () => ask('POST', `${MAPS}?dryRun=All&fieldManager=me`, MAP),
    what: 'ConfigMap - one default',
    options: 'CreateOptions me - All',
  },
  {
    it: 'a create in no namespace',
    send: () => ask('POST', ROLES, { ...MAP, rules: [] }),
    what: 'ClusterRole - one -',
    options: 'CreateOptions - - -',
  },
  {
    it: 'a change of a scale',
    send: () => ask('PATCH', `${DEPLOYMENTS}/web/scale`, scaled),
    what: 'Scale scale web default',
    options: 'UpdateOptions - - -',
  },
  {
    it: 'a delete with options in its body',
    send: () => ask('DELETE', `${MAPS}/kept`, foreground),
    what: 'ConfigMap - kept default',
    options: 'DeleteOptions - Foreground -',
  },
]
for (const { it, send, what, options } of cases)
  test(`a policy is told of ${it}`, async () => {
    await ask('POST', MAPS, { metadata: { name: 'kept' } })
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
    const spec = { selector: { matchLabels: { a: 'b' } }, template }
    await ask('POST', DEPLOYMENTS, { metadata: { name: 'web' }, spec })
    const answers = [await under(refusing(WHAT), send), await under(refusing(OPTIONS), send)]
    const said = answers.map(({ body }) => String(body.message).split('denied request: ')[1])
    assert.deepEqual(said, [what, options])
  })

test('what is deleted with many others is called by no name', async () => {
  await ask('POST', MAPS, { metadata: { name: 'kept' } })
  const refused = await under(refusing('"stays"'), () => ask('DELETE', MAPS))
  assert.match(refused.body.message, /^configmaps "Unknown" is forbidden: .*stays$/)
})

test('of two variables of one name the last counts', async () => {
  const variables = ['one', 'two'].map((text) => ({ name: 'said', expression: `"${text}"` }))
  const refused = await under({ variables, ...refusing('variables.said') }, () => ask('POST', MAPS, MAP))
  assert.match(refused.body.message, /denied request: two$/)
})

test('a policy whose parameters are of an unknown kind is told of by itself', async () => {
  const paramKind = { apiVersion: 'no.io/v1', kind: 'Nope' }
  const refused = await under({ paramKind, ...refusing('"no"') }, () => ask('POST', MAPS, MAP))
  const why = "failed to configure policy: failed to find resource referenced by paramKind: 'no.io/v1, Kind=Nope'"
  assert.equal(
    refused.body.message,
    `configmaps "one" is forbidden: ValidatingAdmissionPolicy 'p' denied request: ${why}`,
  )
})

test('conditions know no namespace yet', async () => {
  const matchConditions = [{ name: 'labelled', expression: 'namespaceObject.metadata.name == "default"' }]
  const refused = await under({ matchConditions, ...refusing('"no"') }, () => ask('POST', MAPS, MAP))
  assert.match(refused.body.message, /resulted in error: no such key: metadata$/)
})
