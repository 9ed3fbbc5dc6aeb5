// What sprig 3.3.0 with xstrings 1.5.0 makes of each text.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertLinear } from '../../../tests/support/cpu-time.ts'
import { connectWords, joinWords } from './word-cases.ts'

const cases: readonly [text: string, snake: string, kebab: string, camel: string][] = [
  ['foo-bar', 'foo_bar', 'foo-bar', 'FooBar'],
  ['FooBar x', 'foo_bar_x', 'foo-bar-x', 'FooBarX'],
  ['1.2.3', '1.2.3', '1.2.3', '1.2.3'],
  ['v1.2.3-rc.1', 'v1.2.3_rc.1', 'v1.2.3-rc.1', 'V1.2.3Rc.1'],
  ['', '', '', ''],
  ['__', '__', '--', '___'],
  ['  x ', '__x_', '--x-', '  X '],
  ['HTTPServer2Go', 'http_server2_go', 'http-server2-go', 'Httpserver2Go'],
  ['a/b/c.txt', 'a/b/c.txt', 'a/b/c.txt', 'A/b/c.txt'],
  ['foo2Bar', 'foo2_bar', 'foo2-bar', 'Foo2Bar'],
  ['FOO_BAR', 'foo_bar', 'foo-bar', 'FooBar'],
  ['éÉa', 'é_éa', 'é-éa', 'ÉÉa'],
  ['x2y z', 'x_2y_z', 'x-2y-z', 'X2yZ'],
  ['漢字Foo', '漢字_foo', '漢字-foo', '漢字Foo'],
  ['<&>', '<&>', '<&>', '<&>'],
]
for (const [text, snake, kebab, camel] of cases)
  test(`the words of ${JSON.stringify(text)}`, () =>
    assert.deepEqual([connectWords(text, '_'), connectWords(text, '-'), joinWords(text)], [snake, kebab, camel]))

test('many words are joined in time that grows with them', () => {
  for (const word of ['A', 'aA', '-_', 'a1', '😀'])
    assertLinear((words) => {
      connectWords(word.repeat(words), '_')
      joinWords(word.repeat(words))
    }, 100_000)
})
