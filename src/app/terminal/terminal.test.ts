import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderAge } from './age.ts'
import { renderTable } from './table.ts'

test('a table is padded to its widest cell and has no trailing blanks', () => {
  assert.equal(
    renderTable(
      ['NAME', 'READY'],
      [
        ['api-gateway', 'True'],
        ['x', ''],
      ],
    ),
    'NAME          READY\napi-gateway   True\nx',
  )
})

test('a colour takes no room', () => {
  assert.equal(
    renderTable(
      ['A', 'B'],
      [
        ['\u001b[32mok\u001b[0m', 'x'],
        ['long', 'y'],
      ],
    ).split('\n')[1],
    '\u001b[32mok\u001b[0m     x',
  )
})

const ages: [number, string][] = [
  [45, '45s'],
  [12 * 60, '12m'],
  [3 * 3600, '3h'],
  [72 * 3600, '3d'],
]
for (const [seconds, want] of ages) {
  test(`an age of ${seconds} seconds is ${want}`, () => {
    assert.equal(renderAge('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:00:00Z') + seconds * 1000), want)
  })
}
