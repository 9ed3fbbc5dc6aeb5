import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, kubedOfFile } from '../../../../../tests/support/kubed.ts'

const POLICIES = '/apis/admissionregistration.k8s.io/v1'
const MAPS = '/api/v1/namespaces/default/configmaps'

const { ask } = kubedOfFile()

const rules = (operations: string[], resources = ['configmaps']) => ({
  resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations, resources }],
})

/** Installs a policy with its binding, runs, and takes both away. */
async function under(
  kind: 'validating' | 'mutating',
  spec: object,
  binding: object,
  run: () => Promise<void>,
): Promise<void> {
  const name = 'p'
  const policy = await ask('POST', `${POLICIES}/${kind}admissionpolicies`, { metadata: { name }, spec })
  assert.equal(policy.code, 201, JSON.stringify(policy.body))
  const bound = await ask('POST', `${POLICIES}/${kind}admissionpolicybindings`, {
    metadata: { name },
    spec: { policyName: name, ...binding },
  })
  assert.equal(bound.code, 201, JSON.stringify(bound.body))
  try {
    await run()
  } finally {
    await ask('DELETE', `${POLICIES}/${kind}admissionpolicybindings/${name}`)
    await ask('DELETE', `${POLICIES}/${kind}admissionpolicies/${name}`)
  }
}

const configMap = (name: string, data: object) => ({ metadata: { name, labels: { a: 'b' } }, data })

test('a policy refuses what its expressions do not allow, in its own words', () =>
  under(
    'validating',
    {
      matchConstraints: rules(['CREATE', 'DELETE']),
      matchConditions: [{ name: 'not-the-free', expression: "request.name != 'free'" }],
      variables: [{ name: 'count', expression: 'size(object.data)' }],
      validations: [
        {
          expression: "request.operation == 'DELETE' || variables.count < 2",
          messageExpression: "string(variables.count) + ' keys'",
        },
        { expression: "request.operation != 'DELETE'", message: 'stays', reason: 'Forbidden' },
      ],
    },
    { validationActions: ['Deny'] },
    async () => {
      const refused = await ask('POST', MAPS, configMap('two', { a: '1', b: '2' }))
      const why = "ValidatingAdmissionPolicy 'p' with binding 'p' denied request: 2 keys"
      assert.equal(refused.code, 422)
      assert.equal(refused.body.reason, 'Invalid')
      assert.equal(refused.body.message, `configmaps "two" is forbidden: ${why}`)
      assert.deepEqual(refused.body.details.causes, [{ message: why }])
      assert.equal((await ask('POST', MAPS, configMap('one', { a: '1' }))).code, 201)
      assert.equal((await ask('POST', MAPS, configMap('free', { a: '1', b: '2' }))).code, 201)
      assert.equal((await ask('DELETE', `${MAPS}/one`)).code, 403)
    },
  ))

test('parameters, warnings and selectors', () =>
  under(
    'validating',
    {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      matchConstraints: { ...rules(['*']), objectSelector: { matchLabels: { a: 'b' } } },
      validations: [{ expression: 'object.data.a == params.data.wanted' }],
    },
    {
      validationActions: ['Warn'],
      paramRef: { name: 'wanted', namespace: 'default', parameterNotFoundAction: 'Deny' },
    },
    async () => {
      const missing = await ask('POST', MAPS, configMap('early', { a: '1' }))
      assert.match(missing.body.message, /failed to configure binding: no params found/)
      assert.equal((await ask('POST', MAPS, { metadata: { name: 'wanted' }, data: { wanted: 'x' } })).code, 201)
      const odd = await ask('POST', MAPS, configMap('odd', { a: '1' }))
      assert.equal(odd.code, 201)
      assert.match(
        odd.warning,
        /Validation failed for ValidatingAdmissionPolicy 'p' with binding 'p': failed expression/,
      )
      assert.equal((await ask('POST', MAPS, configMap('even', { a: 'x' }))).warning, '')
    },
  ))

test('a policy changes what is created, and its changes have defaults', () =>
  under(
    'mutating',
    {
      reinvocationPolicy: 'Never',
      matchConstraints: rules(['CREATE'], ['pods', 'configmaps']),
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: {
            expression: `Object{metadata: Object.metadata{labels: {"by": "policy"}}}`,
          },
        },
        {
          patchType: 'JSONPatch',
          jsonPatch: { expression: `[JSONPatch{op: "add", path: "/data/more", value: object.metadata.labels.by}]` },
        },
      ],
    },
    {},
    async () => {
      const made = await ask('POST', MAPS, configMap('changed', { a: '1' }))
      assert.deepEqual(made.body.metadata.labels, { a: 'b', by: 'policy' })
      assert.deepEqual(made.body.data, { a: '1', more: 'policy' })
      assert.equal((await ask('PUT', `${MAPS}/changed`, configMap('changed', { a: '2' }))).body.data.more, undefined)
    },
  ))

test('an expression that fails refuses in the words of the real server', () =>
  under(
    'validating',
    {
      matchConstraints: rules(['CREATE']),
      matchConditions: [{ name: 'failing', expression: "request.name.startsWith('f')" }],
      variables: [{ name: 'n', expression: 'size(object.data)' }],
      validations: [{ expression: "request.name == 'fx' || variables.n <= 2" }, { expression: "object.data.a == 'b'" }],
      auditAnnotations: [{ key: 'k', valueExpression: 'string(object.data.z)' }],
    },
    { validationActions: ['Warn', 'Audit'] },
    async () => {
      const told = async (name: string, data: object | undefined): Promise<Answer> =>
        ask('POST', `${MAPS}?dryRun=All`, { metadata: { name }, ...(data === undefined ? {} : { data }) })
      const bound = "ValidatingAdmissionPolicy 'p' with binding 'p'"
      const none = await told('f', undefined)
      const variable =
        "expression 'request.name == 'fx' || variables.n <= 2' resulted in error: composited variable \"n\" fails to evaluate: no such key: data"
      assert.ok(
        none.warning.includes(`Validation failed for ${bound}: ${variable.replaceAll('"', '\\"')}`),
        none.warning,
      )
      const annotated = `${bound} denied request: expression 'string(object.data.z)' resulted in error: no such key: z`
      const refused = await told('fx', { a: 'b' })
      assert.equal(refused.code, 422)
      assert.deepEqual(refused.body.details.causes, [{ message: annotated }])
      assert.equal((await told('fx', { a: 'b', z: 'c' })).code, 201)
    },
  ))

test('a policy that cannot change what it is to change refuses with the faults of all its mutations', () =>
  under(
    'mutating',
    {
      reinvocationPolicy: 'Never',
      matchConstraints: rules(['CREATE']),
      mutations: [
        { patchType: 'JSONPatch', jsonPatch: { expression: '[JSONPatch{op: "remove", path: "/data/nope"}]' } },
        { patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{data: {"x": object.data.no}}' } },
      ],
    },
    {},
    async () => {
      const refused = await ask('POST', MAPS, { metadata: { generateName: 'made-' }, data: { a: '1' } })
      const told = "policy 'p' with binding 'p' denied request:"
      assert.equal(refused.code, 403)
      assert.equal(refused.body.reason, 'Invalid')
      assert.equal(refused.body.details.name, 'made-')
      assert.equal(refused.body.message, refused.body.details.causes[0].message)
      assert.deepEqual(
        refused.body.details.causes.map(({ message }: { message: string }) => message),
        [
          `${told} JSON Patch: Unable to remove nonexistent key: nope: missing value`,
          `${told} expression 'Object{data: {"x": object.data.no}}' resulted in error: no such key: no`,
        ],
      )
    },
  ))

test('keys are escaped for the path of a patch', () =>
  under(
    'mutating',
    {
      reinvocationPolicy: 'Never',
      matchConstraints: rules(['CREATE']),
      mutations: [
        {
          patchType: 'JSONPatch',
          jsonPatch: {
            expression:
              '[JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("a.io/b"), value: jsonpatch.escapeKey("x~1/y").replace("~", "_").replace("/", "_")}]',
          },
        },
      ],
    },
    {},
    async () => {
      const made = await ask('POST', `${MAPS}?dryRun=All`, configMap('escaped', {}))
      assert.deepEqual(made.body.metadata.labels, { a: 'b', 'a.io/b': 'x_01_1y' }, JSON.stringify(made.body))
    },
  ))

test('the status of a policy says which generation of it was looked at', async () => {
  const at = `${POLICIES}/validatingadmissionpolicies`
  const spec = { matchConstraints: rules(['CREATE']), validations: [{ expression: 'true' }] }
  assert.equal((await ask('POST', at, { metadata: { name: 'observed' }, spec })).code, 201)
  const made = (await ask('GET', `${at}/observed`)).body
  assert.deepEqual(made.status, { observedGeneration: 1, typeChecking: {} })
  const { manager, operation, subresource, fieldsV1 } = made.metadata.managedFields[0]
  assert.deepEqual([manager, operation, subresource], ['validatingadmissionpolicy-status', 'Apply', 'status'])
  assert.deepEqual(fieldsV1, { 'f:status': { 'f:observedGeneration': {}, 'f:typeChecking': {} } })
  await ask('PUT', `${at}/observed`, { ...made, spec: { ...made.spec, failurePolicy: 'Ignore' } })
  assert.equal((await ask('GET', `${at}/observed`)).body.status.observedGeneration, 2)
  await ask('DELETE', `${at}/observed`)
})

test('a policy that can never work is refused', async () => {
  const { code, body } = await ask('POST', `${POLICIES}/validatingadmissionpolicies`, {
    metadata: { name: 'broken' },
    spec: { matchConstraints: rules(['*']), validations: [{ expression: 'object.' }] },
  })
  assert.equal(code, 422)
  assert.match(body.message, /spec.validations\[0\].expression: Invalid value: "object.": compilation failed: ERROR/)
})

test('a policy that changes sees a write as it was sent, before the server adds anything of its own', () => {
  const seen = (what: string): string => `string(has(object.${what}))`
  const expression = `[JSONPatch{op: "add", path: "/metadata/annotations", value: {
    "name": ${seen('metadata.name')}, "uid": ${seen('metadata.uid')}, "generation": ${seen('metadata.generation')},
    "phase": has(object.status) && has(object.status.phase) ? string(object.status.phase) : "none",
    "selector": object.kind == "Job" ? ${seen('spec.selector')} : "none"}}]`
  const matchConstraints = {
    resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['pods', 'jobs'] }],
  }
  const mutations = [{ patchType: 'JSONPatch', jsonPatch: { expression } }]
  return under('mutating', { reinvocationPolicy: 'Never', matchConstraints, mutations }, {}, async () => {
    const spec = { containers: [{ name: 'a', image: 'a' }], restartPolicy: 'Never' }
    const jobs = '/apis/batch/v1/namespaces/default/jobs'
    const job = { metadata: { name: 'seen' }, spec: { template: { spec } } }
    const annotationsOf = ({ body }: Answer): object => body.metadata.annotations

    const pod = await ask('POST', '/api/v1/namespaces/default/pods', {
      ...{ metadata: { generateName: 'seen-' }, spec, status: { phase: 'Running' } },
    })
    const never = { name: 'false', uid: 'false', generation: 'false' }
    assert.deepEqual(annotationsOf(pod), { ...never, phase: 'Running', selector: 'none' })
    assert.deepEqual([pod.body.status.phase, pod.body.metadata.generation], ['Pending', 1])
    const made = await ask('POST', jobs, job)
    assert.deepEqual(annotationsOf(made), { ...never, name: 'true', phase: 'none', selector: 'false' })
    assert.notEqual(made.body.spec.selector, undefined)
    const replaced = await ask('PUT', `${jobs}/seen`, { ...job, spec: made.body.spec })
    assert.deepEqual(annotationsOf(replaced), { ...never, name: 'true', phase: 'none', selector: 'true' })
    assert.equal(replaced.body.metadata.uid, made.body.metadata.uid)
  })
})

test('a policy asks what somebody may do, in its expressions, and never in what it says of a refusal', () => {
  const may = (check: string): string => `authorizer.${check}.check("frob").allowed()`
  const bot = may('serviceAccount("default", "bot").group("").resource("configmaps")')
  const spec = {
    matchConstraints: rules(['CREATE']),
    variables: [{ name: 'may', expression: may('requestResource') }],
    validations: [
      { expression: 'variables.may', message: 'the administrator may do everything' },
      { expression: may('path("/healthz")') },
      { expression: `!${bot}`, message: 'an account without roles may do nothing' },
      { expression: 'false', messageExpression: '"may: " + string(variables.may)', message: 'not asked' },
    ],
  }
  return under('validating', spec, { validationActions: ['Deny'] }, async () => {
    const { body } = await ask('POST', `${MAPS}?dryRun=All`, { metadata: { name: 'a' } })
    assert.match(String(body.message), /denied request: not asked$/)
  })
})

test('an authorizer is asked of what is created by the name that it has', async () => {
  const roles = '/apis/rbac.authorization.k8s.io/v1/namespaces/default'
  const metadata = { name: 'maker' }
  const of = { apiGroups: [''], resources: ['configmaps'] }
  const allowed = [
    { ...of, verbs: ['create', 'update', 'delete', 'deletecollection'] },
    { ...of, verbs: ['frob'], resourceNames: ['mine'] },
  ]
  await ask('POST', `${roles}/roles`, { metadata, rules: allowed })
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'maker' }
  await ask('POST', `${roles}/rolebindings`, { metadata, roleRef, subjects: [{ kind: 'User', name: 'bob' }] })
  const bob = { 'impersonate-user': 'bob' }
  const check = 'authorizer.requestResource.check("frob").allowed()'
  const made = (name: object): Promise<Answer> => ask('POST', `${MAPS}?dryRun=All`, { metadata: name }, bob)
  const spec = (expression: string): object => ({
    matchConstraints: rules(['*']),
    validations: [{ expression, messageExpression: '"of: " + request.name' }],
  })
  const bound = { validationActions: ['Deny'] }
  await under('validating', spec(check), bound, async () => {
    assert.equal((await made({ name: 'mine' })).code, 201)
    assert.match((await made({ name: 'other' })).body.message, /denied request: of: other$/)
    assert.match((await made({ generateName: 'mine-' })).body.message, /denied request: of: mine-.{5}$/)
  })
  await ask('POST', MAPS, { metadata: { name: 'mine' } })
  await under('validating', spec(`!${check}`), bound, async () => {
    assert.match((await made({ name: 'mine' })).body.message, /denied request: of: mine$/)
    assert.equal((await made({ name: 'other' })).code, 201)
    assert.equal((await ask('PUT', `${MAPS}/mine?dryRun=All`, { metadata: { name: 'mine' } }, bob)).code, 422)
    assert.equal((await ask('DELETE', `${MAPS}/mine?dryRun=All`, undefined, bob)).code, 422)
    assert.equal((await ask('DELETE', `${MAPS}?dryRun=All`, undefined, bob)).code, 200, 'many at once have no name')
  })
})
