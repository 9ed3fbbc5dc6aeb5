import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, kubedOfFile } from '../../../../tests/support/kubed.ts'
import { LAST_APPLIED } from '../ownership/last-applied.ts'

// What the real kube-apiserver 1.37.2 answers where one kind differs from the others.
const { ask } = kubedOfFile()

const CORE = '/api/v1/namespaces/default'
const APPLY = 'application/apply-patch+yaml'
const ADMISSION = '/apis/admissionregistration.k8s.io/v1'
/** Labels every autoscaler that is changed. */
const MARKS = {
  metadata: { name: 'marks' },
  spec: {
    failurePolicy: 'Fail',
    reinvocationPolicy: 'Never',
    matchConstraints: {
      resourceRules: [
        {
          apiGroups: ['autoscaling'],
          apiVersions: ['*'],
          operations: ['UPDATE'],
          resources: ['horizontalpodautoscalers'],
        },
      ],
    },
    mutations: [
      {
        patchType: 'ApplyConfiguration',
        applyConfiguration: { expression: 'Object{metadata: Object.metadata{labels: {"marked": "yes"}}}' },
      },
    ],
  },
}

const applied = (name: string, manager: string, kind: string, plural: string, content: object): Promise<Answer> =>
  ask(
    'PATCH',
    `${CORE}/${plural}/${name}?fieldManager=${manager}`,
    { ...content, apiVersion: 'v1', kind, metadata: { ...(content as { metadata?: object }).metadata, name } },
    { 'content-type': APPLY },
  )

test('events are read from the store, whose refusals have other words', async () => {
  for (const name of ['a', 'b'])
    await ask('POST', `${CORE}/events`, { metadata: { name }, involvedObject: { namespace: 'default' } })
  const any = JSON.parse((await ask('GET', `${CORE}/events?resourceVersion=0&limit=1`)).text) as { items: unknown[] }
  assert.equal(any.items.length, 1, 'a page though any version will do')
  assert.equal((await ask('GET', `${CORE}/events/a?resourceVersion=x`)).code, 400)
  assert.equal((await ask('GET', `${CORE}/secrets/a?resourceVersion=x`)).code, 500)
  assert.doesNotMatch((await ask('GET', `${CORE}/events?resourceVersion=99999999`)).text, /retryAfterSeconds/)
})

test('a limit range is named by its prefix before the server names it', async () => {
  const made = await ask('POST', `${CORE}/limitranges`, { metadata: { generateName: 'own-' }, spec: { limits: [] } })
  assert.match(made.text, /"name":"own-[a-z0-9]{5}"/)
})

test('who is refused is warned of what is deprecated, too', async () => {
  const warned = async (accept: string): Promise<unknown[]> => {
    const { code, warning } = await ask('GET', `${CORE}/endpoints/x`, undefined, { accept })
    return [code, warning?.includes('v1 Endpoints is deprecated')]
  }
  assert.deepEqual(await warned('application/json;as=Foo;v=v1;g=meta.k8s.io'), [406, true])
  // This one does not reach the kind.
  assert.deepEqual(await warned('application/xml'), [406, false])
})

test('where nobody owns a field any more, nothing is said of owners', async () => {
  await applied('empty', 'bob', 'Secret', 'secrets', { metadata: { labels: { a: 'b' } } })
  const seen = await applied('empty', 'bob', 'Secret', 'secrets', {})
  assert.equal(seen.code, 200)
  assert.doesNotMatch(seen.text, /managedFields/)
})

test('who owns a field is told of before who came too late', async () => {
  const data = (value: string): object => ({ data: { a: value } })
  await applied('late', 'bob', 'ConfigMap', 'configmaps', data('1'))
  const late = { metadata: { resourceVersion: '1' }, ...data('2') }
  assert.match((await applied('late', 'alice', 'ConfigMap', 'configmaps', late)).text, /conflict with .*bob/)
})

const ACCOUNT = `${CORE}/serviceaccounts/told`
const patched = (type: string, body: object, query = ''): Promise<Answer> =>
  ask('PATCH', `${ACCOUNT}?fieldManager=bob${query}`, body, { 'content-type': `application/${type}` })
const TWICE = [1, 2].map(() => ({ apiVersion: 'v1', kind: 'ConfigMap', name: 'of', uid: 'u1' }))

test('a strategic patch goes into its kind, whatever it says that it is', async () => {
  await ask('POST', `${CORE}/serviceaccounts`, { metadata: { name: 'told' }, secrets: [{ name: 's' }] })
  assert.equal((await patched('strategic-merge-patch+json', { kind: 'Secret', apiVersion: 'q/w' })).code, 200)
  assert.equal((await patched('merge-patch+json', { kind: 'Secret' })).code, 422)
})

test('what a patch leaves without a version is nothing, in which no field is known', async () => {
  const { code, warning } = await patched('merge-patch+json', { apiVersion: null })
  assert.deepEqual([code, warning?.includes('unknown field \\"secrets\\"')], [400, true])
  const strict = await patched('merge-patch+json', { apiVersion: null }, '&fieldValidation=Strict')
  assert.match(strict.text, /strict decoding error: unknown field .*metadata/)
})

test('an owner that is said twice is kept once, and whoever says so is told', async () => {
  const body = { metadata: { name: 'twice', ownerReferences: TWICE } }
  const made = await ask('POST', `${CORE}/configmaps`, body)
  const { metadata } = JSON.parse(made.text) as { metadata: { ownerReferences: unknown[] } }
  assert.deepEqual(
    [metadata.ownerReferences.length, made.warning?.includes('duplicate UID(s) observed: u1')],
    [1, true],
  )
  const late = await patched('merge-patch+json', { metadata: { ownerReferences: TWICE } })
  assert.match(late.warning ?? '', /contains duplicate entries after mutating admission happens/)
})

test('who owns what of a secret is counted before all but its name is dropped', async () => {
  const { text } = await patched('json-patch+json', [{ op: 'add', path: '/secrets/0/namespace', value: 'x' }])
  assert.match(text, /"manager":"bob"[^]*"f:secrets":\{"k:/)
  assert.match(text, /"secrets":\[\{"name":"s"\}\]/)
})

test('an apply of a version that is none, or of a kind that must have one, is refused as by others', async () => {
  const of = (name: string, resourceVersion: string): Promise<Answer> =>
    applied(name, 'bob', 'ConfigMap', 'configmaps', { metadata: { resourceVersion } })
  assert.match((await of('v1', 'x')).text, /strconv.ParseUint: parsing \\"x\\": invalid syntax/)
  assert.match((await of('v1', '99999999999999999999')).text, /value out of range/)
  assert.equal((await of('v1', '1')).code, 201, 'what is not there has no other version')
  assert.equal((await of('v1', '0')).code, 200, 'any version')
  assert.equal((await of('v1', '7')).code, 409)
})

test('a name that is taken is told of as if it had been chosen where a prefix is said, too', async () => {
  const { code, text } = await ask('POST', `${CORE}/serviceaccounts`, {
    metadata: { name: 'told', generateName: 't-' },
  })
  assert.deepEqual([code, text.includes('was not able to generate a unique name')], [409, true])
})

test('who gives an item of a list an empty list, where there was none, has changed the list', async () => {
  const path = '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies'
  const policy = (to: object): object => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'empty' },
    spec: { podSelector: {}, egress: [to] },
  })
  const peer = { ipBlock: { cidr: '10.0.0.0/8' } }
  await ask('POST', `${path}?fieldManager=first`, policy({ to: [peer] }))
  const { text } = await ask('PUT', `${path}/empty?fieldManager=second`, policy({ to: [peer], ports: [] }))
  assert.match(text, /"manager":"second"[^]*"f:spec":\{"f:egress":\{\}\}/)
})

test('whoever comes back to a field that has not changed has no time', async () => {
  const data = { data: { a: '1' } }
  for (const by of ['first', 'again']) await applied('timed', by, 'ConfigMap', 'configmaps', data)
  await applied('timed', 'again', 'ConfigMap', 'configmaps', { data: { b: '2' } })
  await applied('timed', 'again', 'ConfigMap', 'configmaps', {})
  const { text } = await applied('timed', 'again', 'ConfigMap', 'configmaps', data)
  assert.match(text, /"manager":"again","operation":"Apply","apiVersion":"v1","fieldsType"/)
})

const AUTOSCALERS = '/apis/autoscaling'
const autoscaler = (version: string, spec: object, annotations: object = {}): object => ({
  apiVersion: `autoscaling/${version}`,
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web', annotations },
  spec: {
    maxReplicas: 3,
    minReplicas: 1,
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    ...spec,
  },
})
const usage = (name: string): object => ({
  type: 'Resource',
  resource: { name, target: { type: 'Utilization', averageUtilization: 60 } },
})

test('what admission and kubectl add to an apply that changes nothing itself is kept, through another version, too', async () => {
  const [v1, v2] = ['v1', 'v2'].map(
    (version) => `${AUTOSCALERS}/${version}/namespaces/default/horizontalpodautoscalers`,
  )
  const metrics = [usage('memory'), usage('cpu')]
  await ask('POST', `${v2}?fieldManager=first`, autoscaler('v2', { metrics }, { [LAST_APPLIED]: 'old' }))
  await ask('POST', `${ADMISSION}/mutatingadmissionpolicies`, MARKS)
  await ask('POST', `${ADMISSION}/mutatingadmissionpolicybindings`, {
    metadata: { name: 'marks' },
    spec: { policyName: 'marks' },
  })
  const path = `${v1 ?? ''}/web?fieldManager=kubectl&force=true`
  const same = await ask('PATCH', path, autoscaler('v1', { targetCPUUtilizationPercentage: 60 }), {
    'content-type': APPLY,
  })
  assert.equal(same.code, 200, same.text)
  const { metadata, spec } = JSON.parse((await ask('GET', `${v2 ?? ''}/web`)).text) as {
    metadata: { labels?: object; annotations: Record<string, string> }
    spec: { metrics: { resource: { name: string } }[] }
  }
  assert.deepEqual(metadata.labels, { marked: 'yes' })
  assert.match(metadata.annotations[LAST_APPLIED] ?? '', /"autoscaling\/v1"/)
  assert.deepEqual(
    spec.metrics.map(({ resource }) => resource.name),
    ['memory', 'cpu'],
    'in the order in which they stood',
  )
})

for (const [plural, want] of [
  ['deployments', '"spec":{"replicas":0,"selector":null'],
  ['daemonsets', '"deprecated.daemonset.template.generation":"0"'],
] as const)
  test(`the bookmark of ${plural} is what Go makes of nothing`, async () => {
    const query =
      'watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
    const { text } = await ask('GET', `/apis/apps/v1/namespaces/default/${plural}?${query}`)
    assert.ok(text.includes(want), text)
  })

const STRATEGIC = { 'content-type': 'application/strategic-merge-patch+json' }

test('a version may be said of what an update or an apply creates, not of what is posted; a dry run shows it', async () => {
  const role = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles'
  const said = (name: string, resourceVersion: string): object => ({ metadata: { name, resourceVersion } })
  assert.equal((await ask('PUT', `${role}/said`, said('said', '1'))).code, 201)
  assert.equal((await applied('said', 'm', 'ConfigMap', 'configmaps', said('said', '1'))).code, 201)
  const posted = await ask('POST', `${CORE}/configmaps`, said('posted', '1'))
  assert.match(posted.text, /resourceVersion should not be set on objects to be created/)
  for (const version of ['0', '1'])
    assert.match(
      (await ask('POST', `${CORE}/configmaps?dryRun=All`, said('posted', version))).text,
      new RegExp(`"resourceVersion":"${version}"`),
    )
})

test('whole numbers too large for their field are cut to it where they were merged, and refused where they were sent', async () => {
  const service = (port: number): object => ({ metadata: { name: 'wide' }, spec: { ports: [{ port }] } })
  assert.equal((await ask('POST', `${CORE}/services`, service(80))).code, 201)
  const patched = await ask('PATCH', `${CORE}/services/wide`, { spec: { healthCheckNodePort: 2 ** 31 } }, STRATEGIC)
  assert.match(patched.text, /spec.healthCheckNodePort: Invalid value: -2147483648: may only be set when/)
  const halved = await ask('PATCH', `${CORE}/services/wide`, { spec: { healthCheckNodePort: 1.5 } }, STRATEGIC)
  assert.match(halved.text, /cannot convert float64 to int32/)
  const put = await ask('PUT', `${CORE}/services/wide`, service(2 ** 31))
  assert.match(put.text, /cannot unmarshal number 2147483648 into Go struct field ServicePort.spec.ports.port of type/)
  const affinity = { clientIP: { timeoutSeconds: 2 ** 31 } }
  const apply = await applied('wide', 'm', 'Service', 'services', { spec: { sessionAffinityConfig: affinity } })
  assert.equal(apply.code, 200)
})

test('bytes that were merged are refused in the words of what restores them', async () => {
  assert.equal((await ask('POST', `${CORE}/secrets`, { metadata: { name: 'bytes' } })).code, 201)
  const rows = [
    ['x', 'error decoding from json: illegal base64 data at input byte 0'],
    [5, 'cannot restore slice from int64'],
    [{ b: 1 }, 'cannot restore slice from map'],
  ] as const
  for (const [a, words] of rows)
    assert.match((await ask('PATCH', `${CORE}/secrets/bytes`, { data: { a } }, STRATEGIC)).text, new RegExp(words))
})

test('a pointer that Go writes whatever it points to is null', async () => {
  const resource = { kind: 'K', name: 'n' }
  const body = { metadata: { name: 'null' }, spec: { defaultBackend: { resource } } }
  const { text } = await ask('POST', '/apis/networking.k8s.io/v1/namespaces/default/ingresses', body)
  const { spec } = JSON.parse(text) as typeof body
  assert.deepEqual(spec.defaultBackend.resource, { ...resource, apiGroup: null })
})

test('a service that is created by its status gets no port for its health, and needs one', async () => {
  const spec = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports: [{ port: 80 }] }
  const body = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'status' }, spec }
  const { text } = await ask('PATCH', `${CORE}/services/status/status?fieldManager=m`, body, { 'content-type': APPLY })
  assert.match(text, /spec.healthCheckNodePort: Required value/)
})

test('an apply to what lacks the keys of its lists is told that it is so, with the place', async () => {
  await ask('POST', `${CORE}/serviceaccounts`, { metadata: { name: 'keyless' }, secrets: [{}] })
  const { text } = await applied('keyless', 'm', 'ServiceAccount', 'serviceaccounts', { secrets: [{ name: 's' }] })
  assert.match(
    text,
    /existing fields: failed to convert new object \(default\/keyless; \/v1, Kind=ServiceAccount\) to smd typed: .secrets: element 0: associative list/,
  )
})

test('an event of the newer group is named as before it had one where a precondition fails', async () => {
  const events = '/apis/events.k8s.io/v1/namespaces/default/events'
  const [metadata, regarding] = [{ name: 'meant' }, { namespace: 'default' }]
  const told = { reportingController: 'a/b', reportingInstance: 'x', action: 'a', reason: 'r', type: 'Normal' }
  const body = { metadata, regarding, ...told, eventTime: '2026-01-01T00:00:00.000000Z' }
  assert.equal((await ask('POST', events, body)).code, 201)
  const { text } = await ask('DELETE', `${events}/meant`, { preconditions: { uid: 'other' } })
  assert.match(text, /cannot be fulfilled on Event \\"meant\\"/)
})
