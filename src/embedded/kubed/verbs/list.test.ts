import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kubedOfFile } from '../../../../tests/support/kubed.ts'

// What the real kube-apiserver 1.37.2 answered to the same questions.
const { ask } = kubedOfFile()

const MAPS = '/api/v1/namespaces/default/configmaps'
const EVENTS = '/apis/events.k8s.io/v1/events'
const SLICES = '/apis/resource.k8s.io/v1/resourceslices'
const OPTIONS = '422 ListOptions.meta.k8s.io "" is invalid: '
const LARGE = '99999999999999999999'
const OVER = `resourceVersion: Invalid value: "${LARGE}": strconv.ParseUint: parsing "${LARGE}": value out of range`

const rows: { it: string; ask: string; want: string }[] = [
  {
    it: 'knows a field of older events no more',
    ask: `GET ${EVENTS}?fieldSelector=involvedObject.name%3Dx`,
    want: '400 field label not supported: involvedObject.name',
  },
  {
    it: 'selects newer events by what they are about',
    ask: `GET ${EVENTS}?fieldSelector=regarding.fieldPath%3Dx`,
    want: '200',
  },
  {
    it: 'knows a field of newer events not yet',
    ask: 'GET /api/v1/events?fieldSelector=reportingController%3Dx',
    want: '400 field label not supported: reportingController',
  },
  { it: 'selects slices by their driver', ask: `GET ${SLICES}?fieldSelector=spec.driver%3Dx`, want: '200' },
  {
    it: 'tells of slices that a field does not select',
    ask: `GET ${SLICES}?fieldSelector=spec.x%3Dx`,
    want: '400 field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: spec.x',
  },
  {
    it: 'refuses a version of more than 64 bits',
    ask: `GET ${MAPS}?resourceVersion=${LARGE}`,
    want: `400 invalid resource version: ${OVER}`,
  },
  { it: 'refuses it for one object as a fault', ask: `GET ${MAPS}/x?resourceVersion=${LARGE}`, want: `500 ${OVER}` },
  {
    it: 'compares with no number of more than 64 bits',
    ask: `GET ${MAPS}?labelSelector=n%3C${LARGE}`,
    want: `400 unable to parse requirement: values[0]: Invalid value: "${LARGE}": for 'Gt', 'Lt' operators, the value must be an integer`,
  },
  {
    it: 'refuses a name that no key can have',
    ask: `GET ${MAPS}/a%25b`,
    want: `400 Name parameter invalid: "a%b": may not contain '%'`,
  },
  { it: 'quotes a name as Go does', ask: `GET ${MAPS}/%00`, want: String.raw`404 configmaps "\x00" not found` },
  {
    it: 'takes a watch of the old paths for a list',
    ask: `GET /api/v1/watch/namespaces/default/configmaps?sendInitialEvents=true&resourceVersionMatch=NotOlderThan`,
    want: `${OPTIONS}[resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided, sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list]`,
  },
]
for (const { it, ask: asked, want } of rows)
  test(`a read ${it}`, async () => {
    const [method = '', path = ''] = asked.split(' ')
    const { code, text } = await ask(method, path)
    const { message } = JSON.parse(text) as { message?: string }
    assert.equal(`${code} ${message ?? ''}`.trim(), want)
  })

type List = { metadata: { continue?: string; remainingItemCount?: number }; items: { metadata: { name: string } }[] }

test('a page that is full does not know whether another object is selected, and pages are deleted as they are listed', async () => {
  for (const [name, part] of [
    ['p1', 'a'],
    ['p2', 'b'],
    ['p3', 'a'],
  ])
    await ask('POST', '/api/v1/namespaces/default/secrets', { metadata: { name, labels: { part } } })
  const at = '/api/v1/namespaces/default/secrets'
  const list = async (method: string, query: string): Promise<[string[], boolean, number | undefined]> => {
    const { metadata, items } = JSON.parse((await ask(method, `${at}?${query}`)).text) as List
    return [items.map((each) => each.metadata.name), metadata.continue !== undefined, metadata.remainingItemCount]
  }
  assert.deepEqual(await list('GET', 'limit=1&labelSelector=part%3Db'), [['p2'], true, undefined])
  assert.deepEqual(await list('GET', 'limit=2&labelSelector=part%3Da'), [['p1', 'p3'], false, undefined])
  assert.deepEqual(await list('GET', 'limit=1&fieldSelector=metadata.name%3Dp1'), [['p1'], false, undefined])
  assert.deepEqual(await list('DELETE', 'limit=2'), [['p1', 'p2'], true, 1])
  assert.deepEqual(await list('GET', ''), [['p3'], false, undefined])
})

for (const from of ['', '&resourceVersion=0'])
  test(`a watch${from} that wants nothing of what is there begins with what comes`, async () => {
    const query = `watch=true&timeoutSeconds=1&resourceVersionMatch=NotOlderThan&sendInitialEvents=false${from}`
    const { code, text } = await ask('GET', `/api/v1/namespaces?${query}`)
    assert.deepEqual([code, text], [200, ''])
  })
