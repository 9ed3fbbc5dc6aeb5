import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bech32Fault } from './bech32.ts'

const cases: [text: string, want: string | undefined][] = [
  ['A12UEL5L', undefined],
  ['split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w', undefined],
  ['A12UEL5l', 'mixed case'],
  ['AGE-SECRET-KEY-1SHORT', "separator '1' at invalid position: pos=15, len=21"],
  ['pzry9x0s0muk', "separator '1' at invalid position: pos=-1, len=12"],
  ['x1b4n0q5v', 'invalid character data part: s[0]=98'],
  [`AGE-SECRET-KEY-1${'Q'.repeat(58)}`, 'invalid checksum'],
]
for (const [text, want] of cases)
  test(`the Bech32 text ${text.slice(0, 24)} ${want === undefined ? 'is read' : 'is refused'}`, () =>
    assert.equal(bech32Fault(text), want))
