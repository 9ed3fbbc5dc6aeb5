import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchLabels, matchSelector, parseFieldSelector, parseLabelSelector, SelectorError } from './selector.ts'

const labels = { app: 'web', tier: 'front', empty: '', n: '5' }
const cases: [selector: string, selected: boolean][] = [
  ['app=web', true],
  ['app in (,web)', true],
  ['app notin ()', true],
  ['app==web,tier!=back', true],
  ['app in (api, web)', true],
  ['app notin (web)', false],
  ['missing!=x', true],
  ['missing notin (x)', true],
  ['tier', true],
  ['!tier', false],
  ['!missing', true],
  ['constructor', false],
  ['!constructor', true],
  ['empty=', true],
  ['n>4', true],
  ['n<4', false],
  ['empty<4', false],
  ['', true],
]
for (const [selector, selected] of cases)
  test(`selector "${selector}" ${selected ? 'selects' : 'does not select'}`, () => {
    assert.equal(matchLabels(parseLabelSelector(selector))(labels), selected)
  })

for (const broken of ['a=b=c', 'a in b', ',', 'a in (b', '!', 'a b', 'a constructor b'])
  test(`selector "${broken}" is refused`, () => assert.throws(() => parseLabelSelector(broken), SelectorError))

test('a selector object that is absent selects nothing, an empty one everything', () => {
  assert.equal(matchSelector(undefined)(labels), false)
  assert.equal(matchSelector({})(labels), true)
  assert.equal(
    matchSelector({ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['back'] }] })(labels),
    true,
  )
})

test('a field selector splits at commas that are not escaped', () => {
  assert.deepEqual(parseFieldSelector('metadata.name=a\\,b,status.phase!=Running'), [
    { field: 'metadata.name', negated: false, value: 'a,b' },
    { field: 'status.phase', negated: true, value: 'Running' },
  ])
  assert.deepEqual(parseFieldSelector('=,a='), [{ field: 'a', negated: false, value: '' }])
})
