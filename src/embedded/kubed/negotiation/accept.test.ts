import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builtinResources } from '../resources/builtin.ts'
import type { Resource } from '../resources/resource.ts'
import { aggregatedTypeOf, formFor, parseAccept, plainTypeOf } from './accept.ts'

const PROTOBUF = 'application/vnd.kubernetes.protobuf'
const TABLE = 'as=Table;g=meta.k8s.io;v=v1'
const METADATA = 'as=PartialObjectMetadata;g=meta.k8s.io;v=v1'

const found = builtinResources().find(({ plural }) => plural === 'configmaps')
assert.ok(found)
const map: Resource = found
const review: Resource = { ...map, verbs: ['create'] }
const custom: Resource = {
  ...map,
  custom: {
    definition: 'shirts.example.com',
    columns: [],
    scale: undefined,
    selectable: [],
    deprecation: undefined,
    schema: undefined,
    written: map.type,
    versions: new Map(),
    isFitted: false,
    isEnding: false,
  },
}

// What the real kube-apiserver 1.37.2 answered in.
const cases: { accept: string; of?: Resource; want: string }[] = [
  { accept: '', want: 'object application/json' },
  { accept: 'application/json;charset=utf-8', want: 'object application/json' },
  { accept: 'application/json;q=0.5,application/yaml', want: 'object application/yaml' },
  { accept: 'application/json;stream=watch', want: 'object application/json' },
  { accept: 'application/json ; as=Table ; v=v1 ; g=meta.k8s.io', want: 'table application/json' },
  { accept: 'application/json;as=Table;v=v1;g=wrong,application/yaml', want: 'object application/yaml' },
  { accept: 'application/json;v=v1;g=meta.k8s.io', want: '406' },
  { accept: 'application/json;stream=other', want: '406' },
  { accept: 'application/yaml;stream=watch', want: '406' },
  { accept: 'application/json;sv=1', want: '406' },
  { accept: 'APPLICATION/JSON', want: '406' },
  { accept: 'text/html', want: '406' },
  { accept: PROTOBUF, want: `object ${PROTOBUF}` },
  { accept: `${PROTOBUF};q=0`, want: `object ${PROTOBUF}` },
  { accept: `*/*,${PROTOBUF}`, want: `object ${PROTOBUF}` },
  { accept: `application/*,${PROTOBUF}`, want: `object ${PROTOBUF}` },
  { accept: `application/json,${PROTOBUF}`, want: 'object application/json' },
  { accept: `application/json;q=0.1,${PROTOBUF}`, want: `object ${PROTOBUF}` },
  { accept: `${PROTOBUF};${TABLE}`, want: '406' },
  { accept: `${PROTOBUF};${TABLE},application/json`, want: 'object application/json' },
  { accept: `${PROTOBUF};${METADATA}`, want: `metadata ${PROTOBUF}` },
  { accept: PROTOBUF, of: custom, want: '406' },
  { accept: `${PROTOBUF},*/*`, of: custom, want: 'object application/json' },
  { accept: `${PROTOBUF};${METADATA}`, of: custom, want: `metadata ${PROTOBUF}` },
  { accept: `application/json;${TABLE}`, of: review, want: '406' },
  { accept: `application/json;${TABLE},application/yaml`, of: review, want: 'object application/yaml' },
]
for (const { accept, of = map, want } of cases)
  test(`what "${accept}" accepts of ${of === map ? 'a kind' : of === custom ? 'a custom kind' : 'a review'} is ${want}`, () => {
    const form = (): string => {
      try {
        const { kind, contentType } = formFor(accept, of, '')
        return `${kind} ${contentType}`
      } catch (error) {
        return String((error as { code: number }).code)
      }
    }
    assert.equal(form(), want)
  })

test('what is more particular comes before what stands in front of it', () => {
  const types = parseAccept('*/*;q=0.5,application/*,text/html;q=0.1,a/b/c,*').map(({ type }) => type)
  assert.deepEqual(types, ['text/html', 'application/*', '*/*', '*/*'])
})

test('no more than 64 media types count', () => {
  const header = `${Array.from({ length: 64 }, (_, index) => `a/b${index}`).join(',')},application/json`
  assert.equal(parseAccept(header.repeat(10)).length, 64)
  assert.equal(plainTypeOf(header), undefined)
  assert.equal(plainTypeOf(header.replace('a/b0,', '')), 'application/json')
})

test('failures are told in what they can be told in', () => {
  assert.equal(plainTypeOf(`application/json;${TABLE},application/yaml`), 'application/yaml')
  assert.equal(plainTypeOf(`${PROTOBUF};${METADATA}`), undefined)
  assert.equal(plainTypeOf(PROTOBUF), PROTOBUF)
})

test('the aggregated form of discovery is found wherever it stands', () => {
  const aggregated = 'as=APIGroupDiscoveryList;g=apidiscovery.k8s.io;v=v2'
  assert.equal(aggregatedTypeOf(`application/json,application/yaml;${aggregated}`), 'application/yaml')
  assert.equal(aggregatedTypeOf(`application/json;${aggregated}9`), undefined)
})
