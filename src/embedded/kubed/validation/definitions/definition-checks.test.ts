import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../lib/kube/json.ts'
import { objFrom } from '../../object.ts'
import { rememberStorage } from '../../resources/definitions.ts'
import { validateDefinition, validateDefinitionStatus } from './definition-checks.ts'

type Definition = ReturnType<typeof objFrom>

const V1 = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }
const V2 = { ...V1, name: 'v2' }
const ESTABLISHED = { conditions: [{ type: 'Established', status: 'True' }], storedVersions: ['v1'] }

/** A definition without fault but for what a row says of its spec. */
function calm(spec: JsonObject, status: JsonObject): Definition {
  const names = { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' }
  const whole = { group: 'example.com', scope: 'Namespaced', names, versions: [V1], ...spec }
  const body = { metadata: { name: 'widgets.example.com' }, spec: whole, status }
  return objFrom(body, 'apiextensions.k8s.io/v1', 'CustomResourceDefinition')
}

const SERVICE = { name: 'a', namespace: 'b', port: 443 }
const hook = (clientConfig: JsonObject, conversionReviewVersions: string[] = ['v1']): JsonObject => ({
  conversion: { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions } },
})
const url = (text: string): JsonObject => hook({ url: text })
const CLIENT = 'spec.conversion.webhookClientConfig'
const REVIEWS = 'spec.conversion.conversionReviewVersions'
const STORED = 'status.storedVersions'
const KEPT =
  'missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions'
const FORM = '; desired format: https://host[/path]'
const PRESERVED =
  'spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'

const cases: { it: string; spec: JsonObject; before?: JsonObject; want: string[] }[] = [
  { it: 'takes a webhook with a URL', spec: url('https://a.example/b'), want: [] },
  { it: 'takes a webhook of a service', spec: hook({ service: { ...SERVICE, path: '/a/b/' } }), want: [] },
  {
    it: 'wants https and a host',
    spec: url('http:///b'),
    want: [
      `${CLIENT}.url: Invalid value: "http": 'https' is the only allowed URL scheme${FORM}`,
      `${CLIENT}.url: Invalid value: "": host must be specified${FORM}`,
    ],
  },
  {
    it: 'wants nothing in a URL besides',
    spec: url('https://me@a.example?b#c'),
    want: [
      `${CLIENT}.url: Invalid value: "me": user information is not permitted in the URL`,
      `${CLIENT}.url: Invalid value: "c": fragments are not permitted in the URL`,
      `${CLIENT}.url: Invalid value: "b": query parameters are not permitted in the URL`,
    ],
  },
  {
    it: 'wants a service by name, port and path',
    spec: hook({ service: { name: '', namespace: 'b', port: 0, path: 'x//' } }),
    want: [
      `${CLIENT}.service.namespace: Required value`,
      `${CLIENT}.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive`,
      `${CLIENT}.service.path: Invalid value: "x//": must start with a '/'`,
      `${CLIENT}.service.path: Invalid value: "x//": segment[0] may not be empty`,
      `${CLIENT}.service.path: Invalid value: "x//": segment[1] may not be empty`,
    ],
  },
  {
    it: 'wants a version of the review that it knows',
    spec: hook({ url: 'https://a' }, ['v9', 'v9']),
    want: [
      `${REVIEWS}[1]: Invalid value: "v9": duplicate version`,
      `${REVIEWS}: Invalid value: ["v9","v9"]: must include at least one of v1, v1beta1`,
    ],
  },
  {
    it: 'goes on with versions of the review that it never knew',
    before: hook({ url: 'https://a' }, ['v9']),
    spec: hook({ url: 'https://a' }, ['v8']),
    want: [],
  },
  {
    it: 'wants some version to be stored',
    spec: { versions: [{ ...V1, storage: false }] },
    before: {},
    want: [
      `spec.versions: Invalid value: [{"Name":"v1","Served":true,"Storage":false,"Deprecated":false,"DeprecationWarning":null,"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null}]: must have exactly one version marked as storage version`,
    ],
  },
  { it: 'moves what is stored', spec: { versions: [{ ...V1, storage: false }, V2] }, before: {}, want: [] },
  {
    it: 'keeps versions in which objects may be kept',
    spec: { versions: [V2] },
    before: {},
    want: [`${STORED}[0]: Invalid value: "v1": ${KEPT}`],
  },
  { it: 'never starts to preserve', spec: { preserveUnknownFields: true }, before: {}, want: [PRESERVED] },
  { it: 'creates none that preserves', spec: { preserveUnknownFields: true }, want: [PRESERVED] },
  {
    it: 'goes on preserving',
    spec: { preserveUnknownFields: true },
    before: { preserveUnknownFields: true },
    want: [],
  },
]
const TEXT = { type: 'string' }
const SCHEMA = 'spec.validation.openAPIV3Schema'
/** A definition of one version whose schema has a spec of this kind. */
const withSpec = (schema: JsonObject, version: JsonObject = {}): JsonObject => ({
  versions: [{ ...V1, schema: { openAPIV3Schema: { type: 'object', properties: { spec: schema } } }, ...version }],
})
const selecting = (...paths: string[]): JsonObject =>
  withSpec(
    { type: 'object', properties: { a: TEXT, list: { type: 'array', items: TEXT } } },
    { selectableFields: paths.map((jsonPath) => ({ jsonPath })) },
  )
const selectable = (index: number, told: string): string => `spec.selectableFields[${index}].jsonPath: ${told}`
const listOfKeys = (kind: string, items: JsonObject): JsonObject =>
  withSpec({
    type: 'array',
    items,
    'x-kubernetes-list-type': kind,
    ...(kind === 'map' ? { 'x-kubernetes-list-map-keys': ['k'] } : {}),
  })

// What the real server 1.37.2 answered to the same definitions.
cases.push(
  {
    it: 'wants paths of selectable fields that lead to a scalar',
    spec: selecting(
      '.spec.a',
      '.spec.b',
      '.metadata.name',
      '',
      'spec.a',
      '.spec',
      '.spec.list[0]',
      '.spec.',
      '.spec.a',
    ),
    want: [
      selectable(1, 'Invalid value: ".spec.b": is an invalid path: does not refer to a valid field'),
      selectable(2, 'Invalid value: ".metadata.name": is an invalid path: does not refer to a valid field'),
      selectable(3, 'Required value'),
      selectable(4, 'Invalid value: "spec.a": is an invalid path: expected [ or . but got: spec'),
      selectable(
        5,
        'Invalid value: ".spec": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
      ),
      selectable(6, 'Invalid value: ".spec.list[0]": is an invalid path: array notation is not allowed'),
      selectable(7, 'Invalid value: ".spec.": is an invalid path: unexpected end of JSON path'),
      selectable(8, 'Duplicate value: ".spec.a"'),
    ],
  },
  {
    it: 'lets no item of a set be null',
    spec: listOfKeys('set', { ...TEXT, nullable: true }),
    want: [
      `${SCHEMA}.properties[spec].items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is set`,
    ],
  },
  {
    it: 'lets no key of a list be null',
    spec: listOfKeys('map', { type: 'object', properties: { k: { ...TEXT, nullable: true } }, required: ['k'] }),
    want: [
      `${SCHEMA}.properties[spec].items.properties[k].nullable: Forbidden: this property is in x-kubernetes-list-map-keys, so it cannot be nullable`,
    ],
  },
  {
    it: 'has rules where the structure is, not in its parts',
    spec: withSpec({
      type: 'object',
      properties: { a: TEXT },
      allOf: [{ properties: { a: { 'x-kubernetes-validations': [{ rule: 'true' }] } } }],
    }),
    want: [
      `${SCHEMA}.properties[spec].allOf[0].properties[a].x-kubernetes-validations: Forbidden: must be empty to be structural`,
    ],
  },
  {
    it: 'takes any default where a number or a text may stand',
    spec: withSpec({ 'x-kubernetes-int-or-string': true, default: true }),
    want: [],
  },
  {
    it: 'wants a default of the whole to be a whole object',
    spec: { versions: [{ ...V1, schema: { openAPIV3Schema: { type: 'object', default: { spec: {} } } } }] },
    want: [
      `${SCHEMA}.default: Invalid value: {"spec":{}}: must not have unknown fields`,
      `${SCHEMA}.default.apiVersion: Required value`,
      `${SCHEMA}.default.kind: Required value`,
    ],
  },
)
const KEYED = (extra: JsonObject): JsonObject => {
  const items = { type: 'object', required: ['k'], properties: { k: { type: 'string', nullable: true } } }
  const list = { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'], items }
  return { ...V1, schema: { openAPIV3Schema: { type: 'object', properties: { list, ...extra } } } }
}
const NULLABLE =
  'properties[list].items.properties[k].nullable: Forbidden: this property is in x-kubernetes-list-map-keys, so it cannot be nullable'
cases.push(
  {
    it: 'wants keys that are never null',
    spec: { versions: [KEYED({})] },
    before: {},
    want: [`${SCHEMA}.${NULLABLE}`],
  },
  {
    it: 'may keep a fault that was there before its rule, in another place and beside another schema',
    spec: { versions: [V2, KEYED({ more: { type: 'string' } })].map((each, at) => ({ ...each, storage: at === 1 })) },
    before: { versions: [KEYED({})] },
    want: [],
  },
  {
    it: 'may add no fault beside one that was there',
    spec: { versions: [{ ...KEYED({}), selectableFields: [{ jsonPath: '.none' }] }] },
    before: { versions: [KEYED({})] },
    want: [
      'spec.selectableFields[0].jsonPath: Invalid value: ".none": is an invalid path: does not refer to a valid field',
    ],
  },
)
for (const { it, spec, before, want } of cases)
  test(`a definition ${it}`, () => {
    const object = calm(spec, before === undefined ? {} : ESTABLISHED)
    rememberStorage(object)
    const errors = validateDefinition(object, before === undefined ? undefined : calm(before, ESTABLISHED))
    assert.deepEqual(
      errors.map(({ field, message }) => `${field}: ${message}`),
      want,
    )
  })

test('names that are served must be names, those that are not given need not', () => {
  const errors = validateDefinitionStatus(calm({}, { acceptedNames: { plural: '../x', kind: '', listKind: 'Odd' } }))
  assert.deepEqual(
    errors.map(({ field }) => field),
    ['status.acceptedNames.plural'],
  )
})
