import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'

const html = readFileSync(resolve('src/app/dashboard/page.html'), 'utf8')
const [light = '', dark = ''] = [...html.matchAll(/:root \{([^}]*)\}/g)].map(([, rules]) => rules ?? '')

type Scheme = { readonly [name: string]: string | undefined }
const coloursOf = (rules: string): Scheme =>
  Object.fromEntries([...rules.matchAll(/--(\w+): (#[0-9a-f]{3,6});/g)].map(([, name, colour]) => [name, colour]))

/** WCAG 2.2: 4.5 for text, 3 for what tells something by its colour. */
const WANTED: readonly (readonly [colour: string, on: string, ratio: number])[] = [
  ...['ink', 'soft', 'done', 'running', 'failed'].map((colour) => [colour, 'paper', 4.5] as const),
  ...['ink', 'soft'].map((colour) => [colour, 'ground', 4.5] as const),
  ['waiting', 'paper', 3],
]

for (const [scheme, colours] of [
  ['light', coloursOf(light)],
  ['dark', coloursOf(dark)],
] as const)
  for (const [colour, on, wanted] of WANTED)
    test(`the page's ${colour} can be read on ${on} (${scheme})`, () => {
      const ratio = contrast(colours[colour], colours[on])
      assert.ok(ratio >= wanted, `${ratio.toFixed(2)} is less than ${wanted}`)
    })

/** @see https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(a = '', b = ''): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (high + 0.05) / (low + 0.05)
}

function luminance(colour: string): number {
  const digits = colour.length === 4 ? colour.slice(1).replace(/./g, '$&$&') : colour.slice(1)
  const [red = 0, green = 0, blue = 0] = [0, 2, 4]
    .map((at) => Number.parseInt(digits.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
