import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderAge } from './age.ts'
import { renderTable } from './table.ts'
import { cleanLines } from './text-width.ts'

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

test('a character that takes two columns is padded as such', () => {
  assert.equal(
    renderTable(
      ['A', 'B'],
      [
        ['店', 'x'],
        ['long', 'y'],
      ],
    ).split('\n')[1],
    '店     x',
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

const hostile = 'v1\u001b]0;owned\u0007\u001b[2J\u001b[1A\rv2\u009b31m\u202e'
test('what commits and objects say moves no cursor: cells keep their colour alone, lines their ends', () => {
  const table = renderTable(['NAME'], [[hostile], ['\u001b[31mred\u001b[0m\nnext']])
  assert.equal(table, 'NAME\nv1?]0;owned??[2J?[1A?v2?31m?\n\u001b[31mred\u001b[0m?next')
  assert.equal(cleanLines('50 %\r100 %\r\ndone\u2066'), '50 %\n100 %\ndone?')
  assert.equal(cleanLines(`a\tb\n${hostile}\u001b[1mc`), 'a\tb\nv1?]0;owned??[2J?[1A\nv2?31m?\u001b[1mc')
})
