import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attributesOf } from '../authorization/authorize.ts'
import { Fault } from '../fault.ts'
import { booleanIn, checkTimeout, checkVersionText, numberIn } from './query.ts'
import { parseRoute } from './route.ts'

const messageOf = (work: () => unknown): string | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    assert.ok(error instanceof Fault)
    return `${error.code} ${error.message}`
  }
}

const CONFIG_MAPS = '/api/v1/namespaces/a/configmaps'
const BAD = '400 invalid timeout specified in the request URL - time: '
const timeouts: { it: string; path?: string; query: string; want?: string }[] = [
  { it: 'takes none', query: '' },
  { it: 'takes an empty one', query: 'timeout=' },
  { it: 'takes a duration', query: 'timeout=1h30m.5s' },
  { it: 'takes a plain zero', query: 'timeout=0' },
  { it: 'takes less than nothing', query: 'timeout=-1s' },
  { it: 'refuses a word', query: 'timeout=x', want: `${BAD}invalid duration "x"` },
  { it: 'refuses a number without a unit', query: 'timeout=5', want: `${BAD}missing unit in duration "5"` },
  { it: 'refuses a unit of its own', query: 'timeout=5q', want: `${BAD}unknown unit "q" in duration "5q"` },
  { it: 'leaves a watch alone', query: 'timeout=x&watch=true' },
  { it: 'leaves a log alone', path: '/api/v1/namespaces/a/pods/b/log', query: 'timeout=x' },
  { it: 'looks at documents, too', path: '/version', query: 'timeout=x', want: `${BAD}invalid duration "x"` },
]
for (const { it, path = CONFIG_MAPS, query, want } of timeouts)
  test(`a timeout ${it}`, () => {
    assert.equal(
      messageOf(() => checkTimeout(parseRoute(path), new URLSearchParams(query))),
      want,
    )
  })

const values: { query: string; yes: boolean | undefined }[] = [
  { query: '', yes: undefined },
  { query: 'a', yes: true },
  { query: 'a=', yes: true },
  { query: 'a=no', yes: true },
  { query: 'a=0', yes: false },
  { query: 'a=False', yes: false },
  { query: 'a=true&a=false', yes: true },
]
for (const { query, yes } of values)
  test(`a yes or no of the query "${query}"`, () => assert.equal(booleanIn(new URLSearchParams(query), 'a'), yes))

test('who may list may not watch, however the watch is spelled', () => {
  const verbOf = (query: string): string =>
    attributesOf(parseRoute(CONFIG_MAPS), CONFIG_MAPS, 'GET', new URLSearchParams(query)).verb
  assert.deepEqual(['', 'watch=false', 'watch=0'].map(verbOf), ['list', 'list', 'list'])
  assert.deepEqual(['watch', 'watch=', 'watch=yes', 'watch=True'].map(verbOf), ['watch', 'watch', 'watch', 'watch'])
})

test('a number of the query that is none is refused as Go reads it', () => {
  assert.equal(numberIn(new URLSearchParams('a=-5'), 'a'), -5)
  assert.equal(numberIn(new URLSearchParams(''), 'a'), undefined)
  assert.equal(
    messageOf(() => numberIn(new URLSearchParams('a=1.5'), 'a')),
    '400 strconv.ParseInt: parsing "1.5": invalid syntax',
  )
  const large = '-9223372036854775809'
  assert.equal(
    messageOf(() => numberIn(new URLSearchParams({ a: large }), 'a')),
    `400 strconv.ParseInt: parsing "${large}": value out of range`,
  )
})

test('a version that is no number is a bad request in a list and a fault elsewhere', () => {
  const why = 'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax'
  assert.equal(
    messageOf(() => checkVersionText('x', 400)),
    `400 invalid resource version: ${why}`,
  )
  assert.equal(
    messageOf(() => checkVersionText('x', 500)),
    `500 ${why}`,
  )
  assert.equal(
    messageOf(() => checkVersionText('12', 400)),
    undefined,
  )
})
