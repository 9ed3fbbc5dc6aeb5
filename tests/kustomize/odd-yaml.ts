import type { Random } from './generate-tree.ts'

/** Scalars that YAML libraries disagree about; not U+2028, which kustomize writes in quotes over two lines, and we do not. */
const SCALARS = [
  '010',
  '0o17',
  '0b11',
  '0x1F',
  '1_000',
  '1e3',
  '1.50',
  '.5',
  '-0',
  '+1',
  '1.',
  '1e400',
  '12345678901234567890',
  '99999999999999999999999',
  '-9223372036854775809',
  '1:30',
  '190:20:30',
  '2001-01-01',
  '2001-12-14t21:59:43.10-05:00',
  '2001-12-14 21:59:43',
  '2001-13-01',
  'yes',
  'No',
  'on',
  'OFF',
  'y',
  'N',
  'true',
  'True',
  'TRUE',
  'tRue',
  'null',
  'Null',
  '~',
  '',
  '"null"',
  "'true'",
  '"1"',
  "'0x1F'",
  '!!str 1',
  '!!int "3"',
  '!!bool "yes"',
  '!!float 1',
  '!custom x',
  '!!binary aGk=',
  '=',
  '<<',
  ':x',
  'a:b',
  'a#b',
  "'a # b'",
  '"a: b"',
  '?x',
  '\\x',
  '"\\t tab"',
  '"\\u00e9"',
  '"\\U0001F600"',
  '"a\\nb"',
  '"a\\n"',
  '"\\n a"',
  '" lead"',
  '"trail "',
  '"a \\n b"',
  "'it''s'",
  'é',
  '日本語',
  '"😀"',
  '"\\x01"',
  '"\\e[0m"',
  '"\\u0085x"',
  '"\\_"',
  'a  b',
  '"%x"',
  '"`x`"',
  '"{a}"',
  '"[a]"',
  '"*a"',
  '"&a"',
  '"!a"',
  '"| x"',
  '"> x"',
  'NaN',
  'inf',
  '0.1e-7',
  '1e-7',
  '123456789.123',
  '1e21',
  '1e20',
  '100000000000000000000',
  '0.00001',
  '6.02e23',
  '"y"',
  '"=" ',
] as const

const LONG = 'the quick brown fox jumps over the lazy dog and then some more words follow until it is folded somewhere'

/** Values with a structure of their own; `pad` is the indentation of the key that has them. */
const BLOCKS: readonly ((pad: string) => string)[] = [
  (pad) => `|\n${pad}  one\n${pad}    two\n${pad}  three\n`,
  (pad) => `|-\n${pad}  one\n\n${pad}  two\n`,
  (pad) => `|+\n${pad}  one\n\n\n`,
  (pad) => `>\n${pad}  one\n${pad}  two\n\n${pad}  three\n`,
  (pad) => `>-\n${pad}  one\n${pad}    two\n${pad}  three\n`,
  (pad) => `>+\n${pad}  one\n\n${pad}      two\n\n`,
  (pad) => `|2\n${pad}    lead\n${pad}  two\n`,
  (pad) => `>2-\n${pad}    lead\n${pad}  two\n${pad}  three\n`,
  (pad) => `|\n${pad}  tab\\there\n${pad}  a: b # c\n`,
  (pad) => `"${LONG}\n${pad}  ${LONG}"\n`,
  (pad) => `${LONG}\n${pad}  ${LONG}\n`,
  () => `'${LONG} it''s'\n`,
  (pad) => `|  # comment\n${pad}  ${LONG} ${LONG}\n`,
  (pad) => `\n${pad}- a\n${pad}- [b, {c: d}]\n${pad}- - e\n${pad}  - f\n`,
  (pad) => `\n${pad}  # comment\n${pad}  x: 1 # comment\n${pad}  "y z": [1, 2,\n${pad}    3]\n`,
  () => `{a: 1, "b": [x, y], c: {}, d: [], e: , f}\n`,
]

const KEYS = [
  'a',
  'B',
  'a1',
  'a10',
  'a9',
  'a-b',
  'a.b',
  'a_b',
  'a/b',
  '"y"',
  '"1"',
  '"null"',
  'é',
  '"a b"',
  '_x',
  'Z',
  '"-"',
] as const

/** Lines of odd fields, each at the indentation. */
export function oddFields(r: Random, pad: string, count: number): string {
  const used = new Set<string>()
  let out = ''
  for (let i = 0; i < count; i++) {
    const key = r.pick(KEYS)
    if (used.has(key)) continue
    used.add(key)
    if (r.chance(0.1)) out += `${pad}# a comment\n`
    out += r.chance(0.3)
      ? `${pad}${key}: ${r.pick(BLOCKS)(pad)}`
      : `${pad}${key}: ${r.pick(SCALARS)}${r.chance(0.1) ? ' # note' : ''}\n`
  }
  return out || `${pad}a: b\n`
}

/** An odd scalar as it stands in a text. */
export function oddScalar(r: Random): string {
  return r.pick(SCALARS)
}
