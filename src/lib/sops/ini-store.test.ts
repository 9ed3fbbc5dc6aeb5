// What the INI store of sops 3.13.2 prints of each text.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuSeconds } from '../../../tests/support/cpu-time.ts'
import { emitIni, loadIni } from './ini-store.ts'

const cases: readonly [it: string, text: string, want: string][] = [
  [
    'keeps [DEFAULT] at the top apart from what stands above all sections',
    '[DEFAULT]\nm = true\n[s]\nb=x\n',
    '[DEFAULT]\nm = true\n\n[s]\nb = x\n',
  ],
  ['keeps an empty [DEFAULT]', '[t]\na = 1\n[DEFAULT]\n', '[t]\na = 1\n\n[DEFAULT]\n'],
  [
    'keeps a section that is opened twice apart',
    '[t]\n[DEFAULT]\nl = 1.50\n[t]\nd = \n',
    '[t]\n\n[DEFAULT]\nl = 1.50\n\n[t]\nd = \n',
  ],
  [
    'takes the last of equal keys, and its comment, in the first place',
    '[s]\n; one\na = 1\nb = 2\na = 3\n; two\nb = 4\n',
    '[s]\na = 3\n; two\nb = 4\n',
  ],
]
for (const [it, text, want] of cases) test(`an INI file ${it}`, () => assert.equal(emitIni(loadIni(text)), want))

test('many keys are read in time that grows with them', () => {
  const text = Array.from({ length: 100_000 }, (_, index) => `; note\nk${index} = v\n`).join('')
  assert.ok(cpuSeconds(() => loadIni(`${text}${text}`)) < 4)
})
