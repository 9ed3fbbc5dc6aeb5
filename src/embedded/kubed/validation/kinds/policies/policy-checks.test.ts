import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../../lib/kube/json.ts'
import { applyDefaults } from '../../../defaulting/apply.ts'
import { objFrom } from '../../../object.ts'
import type { Call } from '../../../request/call.ts'
import { builtinResources } from '../../../resources/builtin.ts'
import { validateObject } from '../../validate.ts'

const builtin = builtinResources()

/** The faults of an object named `p`, in the order in which they are told; long rules of names are cut. */
function faultsOf(plural: string, spec: JsonObject, before?: JsonObject): string[] {
  const resource = builtin.find((each) => each.storageKey === `admissionregistration.k8s.io/${plural}`)
  assert.ok(resource !== undefined, plural)
  const [object, old] = [spec, before ?? {}].map((each) => {
    const metadata = { name: 'p', ...(before === undefined ? {} : { uid: 'u', resourceVersion: '1' }) }
    const made = objFrom({ metadata, spec: each }, 'admissionregistration.k8s.io/v1', resource.kind)
    applyDefaults(resource.type, made)
    return made
  })
  assert.ok(object !== undefined)
  const call = { resource, subresource: '' } as unknown as Call
  return validateObject(call, object, before === undefined ? undefined : old).map(({ field, message }) =>
    `${field.replace('spec.', '')} ${message}`.replace(/(consist|be no more) [^]*/, '…'),
  )
}

const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }
const policy = (spec: JsonObject): JsonObject => ({
  matchConstraints: { resourceRules: [rule] },
  validations: [{ expression: 'true' }],
  ...spec,
})
const ruled = (changes: JsonObject): JsonObject =>
  policy({ matchConstraints: { resourceRules: [{ ...rule, ...changes }] } })
const KEY = 'name part must …'

/** What the real API server 1.37.2 answered. */
const cases: { it: string; kind: string; spec: JsonObject; want: string[] }[] = [
  {
    it: 'a kind of parameters that no kind can be named',
    kind: 'validatingadmissionpolicies',
    spec: policy({ paramKind: { apiVersion: '', kind: 'bad_' } }),
    want: [
      'paramKind.apiVersion Required value',
      'paramKind.kind Invalid value: "bad_": may have mixed case, but should otherwise match: a DNS-1035 label must …',
    ],
  },
  {
    it: 'a version of parameters with two slashes',
    kind: 'validatingadmissionpolicies',
    spec: policy({ paramKind: { apiVersion: 'a/b/c', kind: '' } }),
    want: [
      'paramKind.apiVersion Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      'paramKind.kind Required value',
    ],
  },
  {
    it: 'resources that others cover',
    kind: 'validatingadmissionpolicies',
    spec: ruled({ resources: ['*', '*/*', 'pods/*', '*/status', 'pods/status', ''] }),
    want: [
      `matchConstraints.resourceRules[0].resources[2] Invalid value: "pods/*": if '*/*' is present, must not specify pods/*`,
      `matchConstraints.resourceRules[0].resources[3] Invalid value: "*/status": if '*/*' is present, must not specify */status`,
      `matchConstraints.resourceRules[0].resources[4] Invalid value: "pods/status": if 'pods/*' is present, must not specify pods/status`,
      `matchConstraints.resourceRules[0].resources[4] Invalid value: "pods/status": if '*/status' is present, must not specify pods/status`,
      'matchConstraints.resourceRules[0].resources[5] Required value',
      `matchConstraints.resourceRules[0].resources Invalid value: ["*","*/*","pods/*","*/status","pods/status",""]: if '*/*' is present, must not specify other resources`,
    ],
  },
  {
    it: 'all resources beside one of them',
    kind: 'validatingadmissionpolicies',
    spec: ruled({ resources: ['*', 'pods'], scope: 'X', resourceNames: ['a', 'a', '.'] }),
    want: [
      'matchConstraints.resourceRules[0].resourceNames[1] Duplicate value: "a"',
      `matchConstraints.resourceRules[0].resourceNames[2] Invalid value: ".": may not be '.'`,
      `matchConstraints.resourceRules[0].resources Invalid value: ["*","pods"]: if '*' is present, must not specify other resources without subresources`,
      'matchConstraints.resourceRules[0].scope Unsupported value: "X": supported values: "*", "Cluster", "Namespaced"',
    ],
  },
  {
    it: 'selectors before rules',
    kind: 'validatingadmissionpolicies',
    spec: policy({
      matchConstraints: {
        matchPolicy: 'X',
        objectSelector: { matchExpressions: [{ key: 'a', operator: 'Y' }] },
        namespaceSelector: { matchLabels: { 'a b': 'c' } },
        resourceRules: [{ ...rule, apiVersions: [''] }],
      },
    }),
    want: [
      'matchConstraints.matchPolicy Unsupported value: "X": supported values: "Equivalent", "Exact"',
      `matchConstraints.namespaceSelector.matchLabels Invalid value: "a b": ${KEY}`,
      'matchConstraints.objectSelector.matchExpressions[0].operator Invalid value: "Y": not a valid selector operator',
      'matchConstraints.resourceRules[0].apiVersions[0] Required value',
    ],
  },
  {
    it: 'names of conditions',
    kind: 'validatingadmissionpolicies',
    spec: policy({
      matchConditions: ['', 'a b', 'a', 'a'].map((name) => ({ name, expression: name === '' ? '' : 'true' })),
    }),
    want: [
      'matchConditions[0].expression Required value',
      'matchConditions[0].name Required value',
      `matchConditions[1].name Invalid value: "a b": ${KEY}`,
      'matchConditions[3].name Duplicate value: "a"',
    ],
  },
  {
    it: 'variables named as words of CEL',
    kind: 'validatingadmissionpolicies',
    spec: policy({ variables: ['int', 'true', 'namespace', '_x'].map((name) => ({ name, expression: '1' })) }),
    want: [
      'variables[1].name Invalid value: "true": must be a valid CEL identifier',
      'variables[2].name Invalid value: "namespace": must be a valid CEL identifier',
    ],
  },
  {
    it: 'keys of annotations, which are the names of annotations together with the policy',
    kind: 'validatingadmissionpolicies',
    spec: policy({
      auditAnnotations: ['', 'a b', 'k', 'k'].map((key) => ({ key, valueExpression: key === '' ? '' : "'x'" })),
    }),
    want: [
      'auditAnnotations[0].key Invalid value: "p/": name part must be non-empty',
      `auditAnnotations[0].key Invalid value: "p/": ${KEY}`,
      'auditAnnotations[0].valueExpression Required value: valueExpression is not specified',
      `auditAnnotations[1].key Invalid value: "p/a b": ${KEY}`,
      'auditAnnotations[3].key Duplicate value: "k"',
    ],
  },
  {
    it: 'expressions that name what is not there, or answer something else',
    kind: 'validatingadmissionpolicies',
    spec: policy({
      matchConditions: [{ name: 'a', expression: '1' }],
      validations: [
        { expression: '1', messageExpression: '1' },
        { expression: 'params.x == 1' },
        { expression: 'request.foo' },
        { expression: 'object.spec.replicas <= 5 && authorizer.group("").resource("pods").check("get").allowed()' },
        { expression: 'request.userInfo.groups.exists(g, g == "a") && has(request.options.fieldManager)' },
      ],
      auditAnnotations: [{ key: 'a', valueExpression: '1' }],
    }),
    want: [
      'matchConditions[0].expression Invalid value: "1": must evaluate to bool but got int',
      'validations[0].expression Invalid value: "1": must evaluate to bool but got int',
      'validations[0].messageExpression Invalid value: "1": must evaluate to string but got int',
      `validations[1].expression Invalid value: "params.x == 1": compilation failed: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')\n | params.x == 1\n | ^`,
      `validations[2].expression Invalid value: "request.foo": compilation failed: ERROR: <input>:1:8: undefined field 'foo'\n | request.foo\n | .......^`,
      'auditAnnotations[0].valueExpression Invalid value: "1": must evaluate to one of [string null_type] but got int',
    ],
  },
  {
    it: 'variables that are declared later or never',
    kind: 'validatingadmissionpolicies',
    spec: policy({
      variables: [
        { name: 'a', expression: 'variables.b' },
        { name: 'b', expression: '1' },
      ],
      validations: [{ expression: 'variables.b > 2' }, { expression: 'variables.zz' }],
    }),
    want: [
      `variables[0].expression Invalid value: "variables.b": compilation failed: ERROR: <input>:1:10: undefined field 'b'\n | variables.b\n | .........^`,
      `validations[1].expression Invalid value: "variables.zz": compilation failed: ERROR: <input>:1:10: undefined field 'zz'\n | variables.zz\n | .........^`,
    ],
  },
  {
    it: 'what is only read and may be anything, and calls that fit no value',
    kind: 'validatingadmissionpolicies',
    spec: policy({
      variables: [
        { name: 'size', expression: 'object.spec.ports.size()' },
        { name: 'any', expression: 'authorizer.group("a")' },
      ],
      validations: [
        { expression: 'object.spec.on', messageExpression: 'authorizer.path("/x").check("get").reason()' },
        { expression: 'variables.size == "x"' },
        { expression: 'object.data["a"].size() > "a"' },
        { expression: 'authorizer.group("").check("get")' },
        { expression: 'authorizer' },
        { expression: 'variables.any.resource("b").check("get").allowed() && object.x == 1' },
      ],
      auditAnnotations: [{ key: 'a', valueExpression: 'object.x ? "a" : null' }],
    }),
    want: [
      'validations[0].expression Invalid value: "object.spec.on": must evaluate to bool but got dyn',
      `validations[0].messageExpression Invalid value: "authorizer.path(\\"/x\\").check(\\"get\\").reason()": compilation failed: ERROR: <input>:1:1: undeclared reference to 'authorizer' (in container '')\n | authorizer.path("/x").check("get").reason()\n | ^`,
      `validations[1].expression Invalid value: "variables.size == \\"x\\"": compilation failed: ERROR: <input>:1:16: found no matching overload for '_==_' applied to '(int, string)'\n | variables.size == "x"\n | ...............^`,
      `validations[2].expression Invalid value: "object.data[\\"a\\"].size() > \\"a\\"": compilation failed: ERROR: <input>:1:25: found no matching overload for '_>_' applied to '(int, string)'\n | object.data["a"].size() > "a"\n | ........................^`,
      `validations[3].expression Invalid value: "authorizer.group(\\"\\").check(\\"get\\")": compilation failed: ERROR: <input>:1:27: found no matching overload for 'check' applied to 'kubernetes.authorization.GroupCheck.(string)'\n | authorizer.group("").check("get")\n | ..........................^`,
      'validations[4].expression Invalid value: "authorizer": must evaluate to bool but got kubernetes.authorization.Authorizer',
      `auditAnnotations[0].valueExpression Invalid value: "object.x ? \\"a\\" : null": compilation failed: ERROR: <input>:1:10: found no matching overload for '_?_:_' applied to '(dyn, string, null)'\n | object.x ? "a" : null\n | .........^`,
    ],
  },
  {
    it: 'the resource of the request, which only who sent it has, and of functions that CEL has for fewer types',
    kind: 'validatingadmissionpolicies',
    spec: policy({
      validations: [
        { expression: 'authorizer.serviceAccount("a", "b").requestResource.check("get").allowed()' },
        { expression: '(authorizer).requestResource.check("get").errored()' },
        { expression: 'has(authorizer.requestResource)' },
        { expression: 'int(1u) == 1 && b"a" < b"b" && duration(duration("1s")) == duration("1s")' },
        { expression: 'duration(1) == duration("1s")' },
      ],
    }),
    want: [
      `validations[0].expression Invalid value: "authorizer.serviceAccount(\\"a\\", \\"b\\").requestResource.check(\\"get\\").allowed()": compilation failed: ERROR: <input>:1:36: unexpected failed resolution of 'kubernetes.authorization.Authorizer'\n | authorizer.serviceAccount("a", "b").requestResource.check("get").allowed()\n | ...................................^`,
      `validations[2].expression Invalid value: "has(authorizer.requestResource)": compilation failed: ERROR: <input>:1:4: unexpected failed resolution of 'kubernetes.authorization.Authorizer'\n | has(authorizer.requestResource)\n | ...^`,
      `validations[4].expression Invalid value: "duration(1) == duration(\\"1s\\")": compilation failed: ERROR: <input>:1:9: found no matching overload for 'duration' applied to '(int)'\n | duration(1) == duration("1s")\n | ........^`,
    ],
  },
  {
    it: 'mutations that are none',
    kind: 'mutatingadmissionpolicies',
    spec: {
      matchConstraints: { resourceRules: [rule] },
      reinvocationPolicy: 'Never',
      mutations: [
        { patchType: 'ApplyConfiguration', applyConfiguration: { expression: '1' } },
        { patchType: 'JSONPatch', jsonPatch: { expression: '1' } },
        { patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{data: {"a": object.data.b}}' } },
        { patchType: 'JSONPatch', jsonPatch: { expression: 'has(object.data) ? [] : [JSONPatch{op: "remove"}]' } },
      ],
    },
    want: [
      'mutations[0].applyConfiguration.expression Invalid value: "1": must evaluate to Object but got int',
      'mutations[1].jsonPatch.expression Invalid value: "1": must evaluate to list(JSONPatch) but got int',
    ],
  },
  {
    it: 'a binding with nothing',
    kind: 'validatingadmissionpolicybindings',
    spec: {},
    want: ['policyName Required value', 'validationActions Required value'],
  },
  {
    it: 'actions in their order',
    kind: 'validatingadmissionpolicybindings',
    spec: { policyName: 'x', validationActions: ['Deny', 'Deny', 'X'] },
    want: [
      'validationActions[1] Duplicate value: "Deny"',
      'validationActions[2] Unsupported value: "X": supported values: "Audit", "Deny", "Warn"',
    ],
  },
  {
    it: 'both ways to parameters at once',
    kind: 'validatingadmissionpolicybindings',
    spec: { policyName: 'x', validationActions: ['Audit'], paramRef: { name: 'a/b', selector: {} } },
    want: [
      `paramRef.name Invalid value: "a/b": may not contain '/'`,
      'paramRef.name Forbidden: name and selector are mutually exclusive',
      'paramRef.selector Forbidden: name and selector are mutually exclusive',
      'paramRef.parameterNotFoundAction Required value',
    ],
  },
]
for (const { it, kind, spec, want } of cases)
  test(`admission policies are told of ${it}`, () => assert.deepEqual(faultsOf(kind, spec), want))

test('expressions that are stored may stay, though they would be refused of a new policy', () => {
  const [dyn, foo] = [{ expression: 'object.data.ok' }, { expression: 'request.foo' }]
  const stored = policy({
    matchConditions: [{ name: 'a', expression: 'object.on' }],
    variables: [{ name: 'a', expression: 'nobody.x' }],
    validations: [{ ...dyn, messageExpression: 'object.text' }, foo],
    auditAnnotations: [{ key: 'a', valueExpression: '1' }],
  })
  const plural = 'validatingadmissionpolicies'
  const told = (spec: JsonObject): string[] =>
    faultsOf(plural, { ...stored, ...spec }, stored).map((each) => each.slice(0, each.indexOf(' ')))
  assert.equal(faultsOf(plural, stored).length, 6)
  assert.deepEqual(told({}), [])
  assert.deepEqual(told({ failurePolicy: 'Ignore', validations: [foo, dyn, { expression: 'true' }] }), [])
  assert.deepEqual(told({ validations: [{ expression: 'object.data.other' }, foo] }), ['validations[0].expression'])
  assert.deepEqual(told({ matchConditions: [{ name: 'a', ...dyn }] }), ['matchConditions[0].expression'])

  const mutating = (expression: string, more: JsonObject = {}): JsonObject => ({
    matchConstraints: { resourceRules: [rule] },
    reinvocationPolicy: 'Never',
    mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }],
    ...more,
  })
  const [kind, old] = ['mutatingadmissionpolicies', mutating('object.patches')]
  assert.equal(faultsOf(kind, old).length, 1)
  assert.deepEqual(faultsOf(kind, mutating('object.patches', { failurePolicy: 'Ignore' }), old), [])
  assert.equal(faultsOf(kind, mutating('object.others'), old).length, 1)
})
