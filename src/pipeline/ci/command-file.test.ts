import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuSeconds } from '../../../tests/support/cpu-time.ts'
import { parseCommandFile, parseLogCommand } from './command-file.ts'

const files: { it: string; text: string; want: unknown }[] = [
  { it: 'nothing', text: '', want: [] },
  { it: 'name and value', text: 'a=b\n', want: [['a', 'b']] },
  { it: 'a value with =', text: 'a=b=c\r\n', want: [['a', 'b=c']] },
  { it: 'a value with <<', text: 'a=x<<y\n', want: [['a', 'x<<y']] },
  {
    it: 'lines up to a mark',
    text: 'a<<E\n1\n\n2\nE\nb=3',
    want: [
      ['a', '1\n\n2'],
      ['b', '3'],
    ],
  },
  { it: 'a mark that never comes', text: 'a<<E\n1\n', want: 'the value of "a" has no end: no line "E" follows' },
  { it: 'a line without =', text: 'hello\n', want: '"hello" is not name=value' },
]
for (const { it, text, want } of files)
  test(`command file with ${it}`, () => assert.deepEqual(parseCommandFile(text), want))

const lines: [string, unknown][] = [
  ['::add-mask::x:y', { name: 'add-mask', properties: {}, text: 'x:y' }],
  [
    '::error file=a.ts,line=3::bad%0Aworse',
    { name: 'error', properties: { file: 'a.ts', line: '3' }, text: 'bad\nworse' },
  ],
  ['::set-output name=x::', { name: 'set-output', properties: { name: 'x' }, text: '' }],
  ['a::b::c', undefined],
  ['::b', undefined],
  ['::', undefined],
]
for (const [line, want] of lines) test(`line ${line}`, () => assert.deepEqual(parseLogCommand(line), want))

test('a line made to be slow is not', () => {
  assert.equal(parseLogCommand(`::a ${':a'.repeat(100_000)}`), undefined)
  // each mark that was tried read on to the end
  const seconds = cpuSeconds(() => {
    const fault = parseCommandFile(`${'<'.repeat(200_000)}\r x`)
    assert.match(String(fault), /^the value of "" has no end: no line "<{80}" follows$/)
  })
  assert.ok(seconds < 2, `${seconds} s`)
})
