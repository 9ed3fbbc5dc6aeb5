import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuSeconds } from '../../../tests/support/cpu-time.ts'
import { isQuantityError, parseQuantity, roundUpToMilli } from './quantity.ts'

const cases: [string, string][] = [
  ['0.5', '500m'],
  ['1.5Gi', '1536Mi'],
  ['1000k', '1M'],
  ['1.1Ki', '1126400m'],
  ['1e3', '1e3'],
  ['12e6', '12e6'],
  ['01', '01'],
  ['+5', '+5'],
  ['5.', '5.'],
  ['1048576', '1048576'],
  ['1e1000', '10e999'],
  ['1000m', '1'],
  ['0', '0'],
  ['0m', '0'],
  ['1024Mi', '1Gi'],
  ['0.1', '100m'],
  ['1000Mi', '1000Mi'],
  ['1e-3', '1e-3'],
  ['999999999999999999999', '999999999999999999999'],
  ['2.5', '2500m'],
  ['1000000000', '1G'],
]
for (const [written, want] of cases)
  test(`quantity ${written} is ${want}`, () => {
    const quantity = parseQuantity(written)
    assert.ok(!isQuantityError(quantity))
    assert.equal(quantity.text, want)
  })

test('a pod rounds up to thousandths', () => {
  for (const [written, want] of [
    ['1n', '1m'],
    ['-3u', '-1m'],
    ['+8T', '+8T'],
  ] as const) {
    const tiny = parseQuantity(written)
    assert.ok(!isQuantityError(tiny))
    assert.equal(roundUpToMilli(tiny).text, want)
  }
})

for (const [written, want] of [
  ['1x', 'match'],
  ['', 'match'],
  ['1KiB', 'match'],
  ['1mm', 'suffix'],
  ['1e', 'suffix'],
  ['Pi', 'numeric part'],
] as const)
  test(`"${written}" is no quantity`, () => {
    const quantity = parseQuantity(written)
    assert.ok(isQuantityError(quantity))
    assert.match(quantity.error, new RegExp(want))
  })

const long: { it: string; text: string; want: RegExp }[] = [
  { it: 'digits and a sign behind them', text: `${'1'.repeat(200_000)}!`, want: /must match the regular expression/ },
  { it: 'more digits than any amount has', text: '1'.repeat(200_000), want: /unable to parse numeric part/ },
  { it: 'a power of ten that is written in a few signs', text: '1e99999', want: /unable to parse quantity's suffix/ },
]
for (const { it, text, want } of long)
  test(`${it} are refused in no time`, () => {
    const seconds = cpuSeconds(() => {
      const quantity = parseQuantity(text)
      assert.match(isQuantityError(quantity) ? quantity.error : '', want)
    })
    assert.ok(seconds < 0.5, `${seconds} s`)
  })
