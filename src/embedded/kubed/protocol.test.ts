import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kubedOfFile } from '../../../tests/support/kubed.ts'
import type { JsonObject } from '../../lib/kube/json.ts'
import { decodeProtobuf } from '../../lib/kube-typed/protobuf/decode.ts'

// What the real kube-apiserver 1.37.2 answered to the same questions.
const MAPS = '/api/v1/namespaces/default/configmaps'
const TYPES = 'application/json, application/yaml, application/vnd.kubernetes.protobuf'
const INPUT = `the body of the request was in an unknown format - accepted media types include: ${TYPES}`
const OUTPUT = `only the following media types are accepted: ${TYPES}`
const APPLY = 'application/apply-patch+yaml'
const MERGE = 'application/merge-patch+json'
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const SHIRTS = '/apis/example.com/v1/namespaces/default/shirts'
/** A kind whose size stands where its schema has nothing. */
const SHIRT = {
  metadata: { name: 'shirts.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'shirts', kind: 'Shirt' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } } },
        subresources: { scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' } },
      },
    ],
  },
}
const STRATEGIC = 'application/strategic-merge-patch+json'

type Row = {
  readonly it: string
  readonly ask: string
  readonly body?: string
  readonly type?: string
  readonly accept?: string
  readonly want: string
}

const rows: Row[] = [
  {
    it: 'tells of the media type of a new object before its options',
    ask: `POST ${MAPS}?dryRun=x`,
    type: 'text/plain',
    body: '{}',
    want: `415 ${INPUT}`,
  },
  {
    it: 'tells of the options of a change before its media type',
    ask: `PUT ${MAPS}/one?fieldValidation=x`,
    type: 'text/plain',
    body: '{}',
    want: '422 UpdateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "x": supported values: "", "Ignore", "Strict", "Warn"',
  },
  {
    it: 'tells of what the client accepts before what it sends',
    ask: `POST ${MAPS}`,
    accept: 'application/json;g=x',
    body: '[]',
    want: `406 ${OUTPUT}`,
  },
  {
    it: 'tells of a number before a selector',
    ask: `GET ${MAPS}?limit=x&labelSelector=,`,
    want: '400 strconv.ParseInt: parsing "x": invalid syntax',
  },
  {
    it: 'tells of a selector before options that stand against each other',
    ask: `GET ${MAPS}?labelSelector=,&resourceVersionMatch=Exact`,
    want: "400 found ',', expected: !, identifier, or 'end of string'",
  },
  {
    it: 'reads the options of a delete from its body alone',
    ask: `DELETE ${MAPS}/one?propagationPolicy=x&dryRun=All`,
    body: '{"dryRun":["All"]}',
    want: '200 ',
  },
  {
    it: 'refuses an empty policy in the query',
    ask: `DELETE ${MAPS}/one?propagationPolicy=&dryRun=All`,
    want: '422 DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "": supported values: "Foreground", "Background", "Orphan", "nil"',
  },
  {
    it: 'refuses delete options of a wrong type',
    ask: `DELETE ${MAPS}/absent`,
    body: '{"gracePeriodSeconds":"x"}',
    want: '400 json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64',
  },
  {
    it: 'refuses to remove many unsafely',
    ask: `DELETE ${MAPS}?ignoreStoreReadErrorWithClusterBreakingPotential=true&dryRun=All`,
    want: '422 DeleteOptions.meta.k8s.io "" is invalid: ignoreStoreReadErrorWithClusterBreakingPotential: Invalid value: true: is not allowed with DELETECOLLECTION, try again after removing the option',
  },
  {
    it: 'checks the options of the list that it removes',
    ask: `DELETE ${MAPS}?resourceVersionMatch=Exact&dryRun=All`,
    want: '422 ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
  },
  {
    it: 'reads a patch before it looks for the object',
    ask: `PATCH ${MAPS}/absent`,
    type: STRATEGIC,
    body: '{',
    want: '400 invalid JSON patch',
  },
  {
    it: 'says of a strategic patch that is no map what it is',
    ask: `PATCH ${MAPS}/one`,
    type: STRATEGIC,
    body: '[]',
    want: '400 json: cannot unmarshal array into Go value of type map[string]interface {}',
  },
  {
    it: 'takes owners without their key where there were none',
    ask: `PATCH ${MAPS}/one`,
    type: STRATEGIC,
    body: '{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"x"}]}}',
    want: '422 ConfigMap "one" is invalid: metadata.ownerReferences[0].uid: Required value: must not be empty',
  },
  {
    it: 'does nothing with a JSON patch that is null',
    ask: `PATCH ${MAPS}/one`,
    type: 'application/json-patch+json',
    body: 'null',
    want: '200 ',
  },
  {
    it: 'refuses to apply what is no map',
    ask: `PATCH ${MAPS}/one?fieldManager=a`,
    type: APPLY,
    body: '- x',
    want: '400 error decoding patch: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}',
  },
  {
    it: 'names the kind that cannot be applied here',
    ask: `PATCH ${MAPS}/one?fieldManager=a`,
    type: APPLY,
    body: 'apiVersion: v1',
    want: '400 invalid object type: /v1, Kind=',
  },
  {
    it: 'applies to what stands there without a name',
    ask: `PATCH ${MAPS}/one?fieldManager=a&dryRun=All`,
    type: APPLY,
    body: '{"apiVersion":"v1","kind":"ConfigMap"}',
    want: '200 ',
  },
  {
    it: 'stops at the first field of a map that there is not',
    ask: `PATCH ${MAPS}/one?fieldManager=a`,
    type: APPLY,
    body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one"},"a":1,"b":2}',
    want: '500 failed to create typed patch object (/one; /v1, Kind=ConfigMap): .a: field not declared in schema',
  },
  {
    it: 'keeps the uid when something is applied',
    ask: `PATCH ${MAPS}/one?fieldManager=a`,
    type: APPLY,
    body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one","uid":"x"}}',
    want: '422 ConfigMap "one" is invalid: metadata.uid: Invalid value: "x": field is immutable',
  },
  {
    it: 'keeps the time of deletion',
    ask: `PUT ${MAPS}/one`,
    body: '{"metadata":{"name":"one","deletionTimestamp":"2020-01-01T00:00:00Z"}}',
    want: '422 ConfigMap "one" is invalid: metadata.deletionTimestamp: Invalid value: "2020-01-01T00:00:00Z": field is immutable',
  },
  {
    it: 'refuses finalizers without a domain when an object changes',
    ask: `PUT ${MAPS}/one`,
    body: '{"metadata":{"name":"one","finalizers":["x"]}}',
    want: '422 ConfigMap "one" is invalid: metadata.finalizers[0]: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified',
  },
  {
    it: 'refuses YAML that is no map',
    ask: `POST ${MAPS}`,
    type: 'application/yaml',
    body: 'x',
    want: '400 the object provided is unrecognized (must be of type ConfigMap): couldn\'t get version/kind; json parse error: json: cannot unmarshal string into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (78)',
  },
  {
    it: 'has no dry run of a connection',
    ask: `GET /api/v1/namespaces/default/pods/a/proxy?dryRun=All`,
    want: '400 dryRun is not supported',
  },
  {
    it: 'takes no other method of a connection, dry run or not',
    ask: `DELETE /api/v1/namespaces/default/pods/a/attach?dryRun=All`,
    want: '405 the server does not allow this method on the requested resource',
  },
  {
    it: 'knows of nothing below a subresource',
    ask: `PUT /apis/apps/v1/namespaces/default/deployments/a/status/x`,
    body: '{',
    want: '404 the server could not find the requested resource',
  },
  {
    it: 'takes options of a delete for those of any group, and no other kind',
    ask: `DELETE ${MAPS}/one`,
    body: '{"kind":"Nope"}',
    want: '400 no kind "Nope" is registered for version "meta.k8s.io/v1" in scheme "pkg/runtime/scheme.go:111"',
  },
  {
    it: 'looks at the options of a watch before its form',
    ask: `GET ${MAPS}?watch=true&limit=x`,
    accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
    want: '400 strconv.ParseInt: parsing "x": invalid syntax',
  },
  {
    it: 'makes no object of another name than that of its address',
    ask: 'PUT /apis/coordination.k8s.io/v1/namespaces/default/leases/none',
    body: '{"metadata":{"name":"other"}}',
    want: '400 the name of the object (other) does not match the name on the URL (none)',
  },
  {
    it: 'tells of another namespace before another name',
    ask: `PUT ${MAPS}/one`,
    body: '{"metadata":{"name":"other","namespace":"other"}}',
    want: '400 the namespace of the provided object does not match the namespace sent on the request',
  },
  {
    it: 'tells of a uid before a version when something new is applied',
    ask: `PATCH ${MAPS}/none?fieldManager=a`,
    type: APPLY,
    body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"none","uid":"x","resourceVersion":"x"}}',
    want: '409 Operation cannot be fulfilled on configmaps "none": uid mismatch: the provided object specified uid x, and no existing object was found',
  },
  {
    it: 'wants operations of a JSON patch',
    ask: `PATCH ${MAPS}/one`,
    type: 'application/json-patch+json',
    body: '[null,1]',
    want: '400 error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp',
  },
  {
    it: 'wants texts in operations of a JSON patch',
    ask: `PATCH ${MAPS}/one`,
    type: 'application/json-patch+json',
    body: '[{"op":1}]',
    want: '400 error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string',
  },
  {
    it: 'looks less at a JSON patch of which nothing unknown is to be told',
    ask: `PATCH ${MAPS}/one?fieldValidation=Ignore`,
    type: 'application/json-patch+json',
    body: '{}',
    want: '400 json: cannot unmarshal object into Go value of type jsonpatch.Patch',
  },
  {
    it: 'tells of a label with two slashes',
    ask: `GET ${MAPS}?labelSelector=a/b/c`,
    want: "400 unable to parse requirement: <nil>: Invalid value: \"a/b/c\": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
  },
  {
    it: 'reads no Scale of a custom resource that says no size',
    ask: `GET ${SHIRTS}/one/scale`,
    want: '500 Internal error occurred: the spec replicas field ".spec.size" does not exist',
  },
  {
    it: 'gives a custom resource no size by a patch of something else',
    ask: `PATCH ${SHIRTS}/one/scale`,
    type: MERGE,
    body: '{"metadata":{"annotations":{"a":"b"}}}',
    want: '400 the spec replicas field ".spec.size" cannot be empty',
  },
  {
    it: 'tells of a size that is none by where the custom resource has it',
    ask: `PATCH ${SHIRTS}/one/scale`,
    type: MERGE,
    body: '{"spec":{"replicas":-1}}',
    want: '422 Shirt.example.com "one" is invalid: .spec.size: Invalid value: -1: should be a non-negative integer',
  },
  {
    it: 'takes a size that the schema does not know',
    ask: `PATCH ${SHIRTS}/one/scale`,
    type: MERGE,
    body: '{"spec":{"replicas":2}}',
    want: '200 ',
  },
  {
    it: 'keeps no size that the schema does not know',
    ask: `GET ${SHIRTS}/one/scale`,
    want: '500 Internal error occurred: the spec replicas field ".spec.size" does not exist',
  },
  {
    it: 'wants the version of a custom resource to be said',
    ask: `POST ${SHIRTS}`,
    body: '{"kind":"Shirt","metadata":{"name":"two"}}',
    want: '400 the API version in the data () does not match the expected API version (example.com/v1)',
  },
  {
    it: 'moves no custom resource to another version by a patch',
    ask: `PATCH ${SHIRTS}/one`,
    type: MERGE,
    body: '{"apiVersion":"x/v1"}',
    want: '422 Shirt.x "one" is invalid: apiVersion: Invalid value: "x/v1": must be example.com/v1',
  },
  {
    it: 'reads metadata of a custom resource as a value of its own',
    ask: `POST ${SHIRTS}`,
    body: '{"apiVersion":"example.com/v1","kind":"Shirt","metadata":"x"}',
    want: '400 Shirt in version "v1" cannot be handled as a Shirt: json: cannot unmarshal string into Go value of type v1.ObjectMeta',
  },
  {
    it: 'names a custom resource without a name',
    ask: `POST ${SHIRTS}`,
    body: '{"apiVersion":"example.com/v1","kind":"Shirt","metadata":{}}',
    want: '422 Shirt.example.com "" is invalid: metadata.name: Required value: name or generateName is required',
  },
  {
    it: 'binds a token to a pod of any version, which must be there',
    ask: 'POST /api/v1/namespaces/default/serviceaccounts/default/token',
    body: '{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"boundObjectRef":{"kind":"Pod","name":"x"}}}',
    want: '404 pods "x" not found',
  },
  {
    it: 'binds no token to what is not said',
    ask: 'POST /api/v1/namespaces/default/serviceaccounts/default/token',
    body: '{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"boundObjectRef":{"apiVersion":"v1"}}}',
    want: '400 cannot bind token to object of type /v1, Kind=',
  },
  {
    it: 'tells everything that is wrong with a binding',
    ask: 'POST /api/v1/namespaces/default/pods/p/binding',
    body: '{"apiVersion":"v1","kind":"Binding","metadata":{"name":"p"},"target":{"kind":"Pod"}}',
    want: '500 [target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>", target.name: Required value]',
  },
  {
    it: 'lets nobody hold a namespace whose name says not where it is from',
    ask: 'PUT /api/v1/namespaces/default/finalize',
    body: '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"default"},"spec":{"finalizers":["a.b/c","bad"]}}',
    want: '422 Namespace "default" is invalid: spec.finalizers[1]: Invalid value: "bad": name is neither a standard finalizer name nor is it fully qualified',
  },
  {
    it: 'checks the status of a quota',
    ask: 'PATCH /api/v1/namespaces/default/resourcequotas/q/status',
    type: MERGE,
    body: '{"status":{"used":{"pods":"1.5"}}}',
    want: '422 ResourceQuota "q" is invalid: status.used[pods]: Invalid value: "1500m": must be an integer',
  },
]

const kubed = kubedOfFile(async () => {
  await send({ ask: `POST ${MAPS}`, body: '{"metadata":{"name":"one"}}' })
  await send({ ask: `POST ${DEFINITIONS}`, body: JSON.stringify(SHIRT) })
  await send({
    ask: `POST ${SHIRTS}`,
    body: '{"apiVersion":"example.com/v1","kind":"Shirt","metadata":{"name":"one"},"spec":{}}',
  })
  await send({ ask: 'POST /api/v1/namespaces/default/resourcequotas', body: '{"metadata":{"name":"q"},"spec":{}}' })
})

function send({ ask, body, type = 'application/json', accept = 'application/json' }: Omit<Row, 'it' | 'want'>) {
  const [method = '', path = ''] = ask.split(' ')
  return kubed.ask(method, path, body, { accept, 'content-type': type })
}

for (const { it, want, ...row } of rows)
  test(`kubed ${it}`, async () => {
    const { code, text } = await send(row)
    const message = code < 400 ? '' : (JSON.parse(text) as { message: string }).message
    assert.equal(`${code} ${message}`, want)
  })

test('kubed ends the state at which a watch begins with a bookmark, asked for or not', async () => {
  const path = `${MAPS}?watch&allowWatchBookmarks=true`
  const { body } = await kubed.get(path)
  assert.ok(body)
  let text = ''
  for await (const chunk of body) {
    text += Buffer.from(chunk as Uint8Array).toString('utf8')
    if (text.includes('BOOKMARK')) break
  }
  assert.match(text, /"type":"ADDED"/)
  assert.match(text, /"k8s\.io\/initial-events-end":"true"/)
})

// What the real kube-apiserver 1.37.2 answered.
test('kubed lists the metadata of custom resources without an empty token', async () => {
  const list = await send({
    ask: `GET ${SHIRTS}`,
    accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  })
  assert.deepEqual(Object.keys((JSON.parse(list.text) as { metadata: JsonObject }).metadata), ['resourceVersion'])
})

test('kubed counts what it is asked, and shows it to those who may see it', async () => {
  await send({ ask: `GET ${MAPS}?limit=1` })
  await send({ ask: `GET ${MAPS}/absent` })
  const metrics = await send({ ask: 'GET /metrics' })
  assert.equal(metrics.code, 200)
  const of = (rest: string): string =>
    `apiserver_request_total{code="${rest.slice(0, 3)}",component="apiserver",dry_run="",group="",resource="configmaps",${rest.slice(4)}} 1`
  assert.ok(metrics.text.includes(of('200,scope="namespace",subresource="",verb="LIST",version="v1"')))
  assert.ok(metrics.text.includes(of('404,scope="resource",subresource="",verb="GET",version="v1"')))
  assert.match(metrics.text, /^apiserver_resource_objects\{group="",resource="configmaps"\} [1-9]/m)
  assert.match(metrics.text, /^process_resident_memory_bytes \d+$/m)
  const stranger = await fetch(`${kubed.kubed().plainServer}/metrics`)
  assert.equal(stranger.status, 403)
})

const PROTOBUF = 'application/vnd.kubernetes.protobuf'

/** What a frame or an answer says that it holds; numbers are those of the messages. */
const held = (bytes: Buffer): JsonObject => decodeProtobuf(bytes.subarray(bytes.indexOf('k8s\0')))

test('kubed answers in protobuf who takes nothing else, its failures too', async () => {
  const headers = { accept: PROTOBUF }
  for (const [path, kind] of [
    [`${MAPS}/one`, 'ConfigMap'],
    [MAPS, 'ConfigMapList'],
    [`${MAPS}/absent`, 'Status'],
    [`${SHIRTS}/absent`, 'Status'],
    ['/apis/apps', 'APIGroup'],
  ] as const) {
    const answer = await kubed.get(path, headers)
    const body = Buffer.from(await answer.arrayBuffer())
    assert.equal(answer.headers.get('content-type'), PROTOBUF, path)
    assert.equal(held(body)?.kind, kind)
  }
})

test('kubed tells changes in frames of protobuf', async () => {
  const headers = { accept: `${PROTOBUF};stream=watch` }
  const path = `${MAPS}?watch=1&timeoutSeconds=1&fieldSelector=metadata.name=one`
  const { body, headers: told } = await kubed.get(path, headers)
  assert.equal(told.get('content-type'), `${PROTOBUF};stream=watch`)
  assert.ok(body)
  const frames: Buffer[] = []
  for await (const chunk of body) frames.push(Buffer.from(chunk as Uint8Array))
  const [frame = Buffer.alloc(4)] = frames
  assert.equal(frame.readUInt32BE(), frame.length - 4)
  assert.equal((held(frame)?.metadata as JsonObject).name, 'one')
})

test('kubed says of the aggregated form of discovery when it is still the same', async () => {
  const accept = 'application/json;as=APIGroupDiscoveryList;g=apidiscovery.k8s.io;v=v2'
  const headers = { accept }
  const first = await kubed.get('/apis', headers)
  assert.equal(first.headers.get('cache-control'), 'public')
  const again = { ...headers, 'if-none-match': first.headers.get('etag') ?? '' }
  await first.arrayBuffer()
  assert.equal((await kubed.get('/apis', again)).status, 304)
})

test('kubed tells what a change takes besides its body', async () => {
  const path = '/openapi/v3/apis/example.com/v1'
  const answer = await kubed.get(path)
  const { paths } = (await answer.json()) as { paths: Record<string, Record<string, { parameters: JsonObject[] }>> }
  const one = paths['/apis/example.com/v1/namespaces/{namespace}/shirts/{name}']
  const force = one?.patch?.parameters.find(({ name }) => name === 'force')
  assert.match(String(force?.description), /^Force is going to "force" Apply requests\./)
  assert.deepEqual(force?.schema, { type: 'boolean', uniqueItems: true })
  assert.deepEqual(one?.get?.parameters, [])
  const none = await kubed.get(path, { accept: 'application/yaml' })
  assert.equal(`${none.status} ${await none.text()}`, '406 ')
})
