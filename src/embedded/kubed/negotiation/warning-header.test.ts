import assert from 'node:assert/strict'
import { test } from 'node:test'
import { warningHeader } from './warning-header.ts'

const told = (warnings: readonly string[]): string[] =>
  (warningHeader(warnings).warning ?? []).map((each) => Buffer.from(each, 'latin1').toString('utf8'))

const same = (sign: string, count: number): string => sign.repeat(count)
const said = (...texts: string[]): string[] => texts.map((text) => `299 - "${text}"`)
const numbered = Array.from({ length: 40 }, (_, index) => `${String(index).padStart(2, '0')}${same('x', 298)}`)

// As WithWarningRecorder and NewWarningHeader of the original have it.
const cases: { it: string; warnings: string[]; header: string[] }[] = [
  { it: 'nothing', warnings: [], header: [] },
  { it: 'an empty text', warnings: [''], header: [] },
  { it: 'the same twice', warnings: ['a', 'b', 'a'], header: said('a', 'b') },
  { it: 'quotes', warnings: ['a "b" \\c'], header: said('a \\"b\\" \\\\c') },
  { it: 'other scripts', warnings: ['unknown field "日😀é"'], header: said('unknown field \\"日😀é\\"') },
  { it: 'control signs', warnings: ['a\nb', 'c', 'd\u0085', 'e\u007f', 'f\u0000'], header: said('c') },
  { it: 'as many signs as there may be', warnings: [same('日', 4096)], header: said(same('日', 4096)) },
  { it: 'one more', warnings: [same('日', 4097)], header: said(same('日', 256)) },
  {
    it: 'too many in all: those before are cut, too',
    warnings: [same('a', 300), same('b', 3796), same('😀', 257)],
    header: said(same('a', 256), same('b', 256), same('😀', 256)),
  },
  {
    it: 'more than there is room for when cut',
    warnings: numbered,
    header: said(...numbered.slice(0, 16).map((text) => text.slice(0, 256))),
  },
  {
    it: 'short ones until one is too much',
    warnings: Array.from({ length: 5000 }, (_, index) => String.fromCodePoint(0x4e00 + index)),
    header: said(...Array.from({ length: 4097 }, (_, index) => String.fromCodePoint(0x4e00 + index))),
  },
  {
    it: 'a control sign behind the cut',
    warnings: [`${same('a', 256)}\n`, same('b', 4097)],
    header: said(same('a', 256), same('b', 256)),
  },
]

for (const { it, warnings, header } of cases)
  test(`warnings: ${it}`, () => {
    assert.deepEqual(told(warnings), header)
    for (const each of warningHeader(warnings).warning ?? []) assert.doesNotMatch(each, /[^\t\x20-\x7e\x80-\xff]/)
  })
