// Random texts of variables, read by us and by `flux envsubst`: the same answer, or both refuse. SLUICE_TEXTS (1500), SLUICE_SEED.
import { spawnSync } from 'node:child_process'
import { seededRandom } from '../support/seeded-random.ts'
import { substitute } from '../../src/pipeline/build/substitute.ts'
import { peerTool } from '../lib/peer.ts'

const flux = peerTool('flux')
const count = Number(process.env['SLUICE_TEXTS'] ?? '1500')
const seed = Number(process.env['SLUICE_SEED'] ?? '20261127')
const random = seededRandom(seed)
const below = (limit: number): number => Math.floor(random() * limit)
const pick = (...all: readonly string[]): string => all[below(all.length)] ?? ''

const values: Record<string, string> = {
  ...{ a: 'Hello/World', b: '', c: '123456789', d: 'foo.bar.foo.baz' },
  ...{ e: 'éàü x', f: '$x ${y}', g_1: 'a*b?c', n: '-3' },
}
const name = (): string => pick(...Object.keys(values), 'none', '1x', '_u')
const text = (): string =>
  pick('text', '$', '$$', '{', '}', '$${a}', '$a', ' ', '\\', '#', '$$$a', '${', '${}', '"', '/')
const pattern = (): string =>
  pick('foo', '*', '?', '*.', 'o', 'Hel*', '[a-z]', '[^A-Z]', '\\*', 'l', '/', '', '$c', '${c}')
const number = (): string => pick('0', '1', '-1', '3', '${n}', '100', 'x', '', ' 2')
const word = (): string => pick('def', '', '$a', '${a}', 'a b', '${none:-in}', '${none}')
const forms: readonly (() => string)[] = [
  () => `\${${name()}}`,
  () => `\${#${name()}}`,
  () => `\${${name()}${pick('^', '^^', ',', ',,', '^,')}}`,
  () => `\${${name()}:${number()}}`,
  () => `\${${name()}:${number()}:${number()}}`,
  () => `\${${name()}${pick('#', '##', '%', '%%')}${pattern()}}`,
  () => `\${${name()}${pick('/', '//', '/#', '/%')}${pattern()}/${pick('X', '', '$b', '${c}', 'Z/Z', '\\/')}}`,
  () => `\${${name()}${pick(':-', ':=', '=', '-', ':+', '+', ':?', '?')}${word()}}`,
  () => `\${${name()}/${pattern()}}`,
  () => `\${ ${name()} }`,
]

function ours(of: string, isStrict: boolean): string | undefined {
  try {
    return substitute(of, new Map(Object.entries(values)), { isStrict, traps: 'flux' })
  } catch {
    return undefined
  }
}

let differences = 0
for (let at = 0; flux !== undefined && at < count; at++) {
  const of = Array.from({ length: 1 + below(3) }, () =>
    random() < 0.3 ? text() : (forms[below(forms.length)]?.() ?? ''),
  ).join('')
  const isStrict = random() < 0.5
  const run = spawnSync(flux, ['envsubst', ...(isStrict ? ['--strict'] : [])], {
    input: of,
    env: values,
    encoding: 'utf8',
  })
  const theirs = run.status === 0 ? run.stdout.replace(/\n$/, '') : undefined
  if (ours(of, isStrict) === theirs) continue
  differences++
  console.error(JSON.stringify({ of, isStrict, ours: ours(of, isStrict), theirs, why: run.stderr.trim() }))
}
console.log(JSON.stringify({ seed, texts: flux === undefined ? 0 : count, differences }))
process.exitCode = flux === undefined || differences > 0 ? 1 : 0
