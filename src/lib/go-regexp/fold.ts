import type { Ranges } from './classes.ts'

/** The ranges with every code point that differs from one of theirs in case only (simple case folding, as Go's `unicode.SimpleFold`). */
export function foldCase(ranges: Ranges): Ranges {
  const folded = [...ranges]
  const isAscii = ranges.every((code) => code < 0x80)
  for (const orbit of isAscii ? ASCII : allOrbits())
    if (orbit.some((code) => isIn(ranges, code))) for (const code of orbit) folded.push(code, code)
  return folded
}

type Orbit = readonly number[]

/** Two letters have a third form: the long s, and the sign for kelvin. */
const ASCII: readonly Orbit[] = Array.from({ length: 26 }, (_, i) => {
  const third = { k: [0x212a], s: [0x17f] }[String.fromCharCode(97 + i)] ?? []
  return [65 + i, 97 + i, ...third]
})

const LAST_FOLDING = 0x1e943
/** They have a lower and an upper case in Turkish only. */
const ALONE = new Set([0x130, 0x131])
let orbits: readonly Orbit[] | undefined

function allOrbits(): readonly Orbit[] {
  if (orbits) return orbits
  const byForm = new Map<string, number[]>()
  for (const code of changing()) {
    const text = String.fromCodePoint(code)
    const form = single(single(text, text.toUpperCase()), single(text, text.toUpperCase()).toLowerCase())
    const orbit = byForm.get(form)
    if (orbit) orbit.push(code)
    else byForm.set(form, [code])
  }
  orbits = [...byForm.values()].filter((orbit) => orbit.length > 1)
  return orbits
}

/** The code points that have another case, found block by block. */
function changing(): readonly number[] {
  const found: number[] = []
  for (let start = 0; start <= LAST_FOLDING; start += BLOCK) {
    const codes = Array.from({ length: BLOCK }, (_, i) => start + i)
    const isText = start < 0xd800 || start > 0xdfff
    if (!isText || !CHANGES.test(String.fromCodePoint(...codes))) continue
    found.push(...codes.filter((code) => !ALONE.has(code) && CHANGES.test(String.fromCodePoint(code))))
  }
  return found
}

const BLOCK = 0x80
const CHANGES = /\p{Changes_When_Casemapped}/u

/** What a character changes to, where that is one character. */
function single(text: string, changed: string): string {
  return [...changed].length === 1 ? changed : text
}

function isIn(ranges: Ranges, code: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) if (code >= (ranges[i] ?? 0) && code <= (ranges[i + 1] ?? 0)) return true
  return false
}
