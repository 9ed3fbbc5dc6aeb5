import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BorderState, CellView, PageView } from '../page-view.ts'
import { renderScreen, type ScreenSize } from './screen.ts'
import { cleanText, fitText, widthOf } from './text-width.ts'

const big: ScreenSize = { columns: 120, rows: 40, hasColour: false }

function cell(environment: string, state: BorderState, border: string, version = '1.0.0'): CellView {
  const borders = [
    { name: border, state, detail: '' },
    { name: 'health', state: 'waiting' as const, detail: '' },
  ]
  return { environment, version, commit: 'abc1234', state, cause: undefined, url: undefined, borders }
}

const calm: PageView = {
  at: '2026-01-01T00:00:00Z',
  notice: undefined,
  environments: ['staging', 'production'],
  services: [
    { name: 'api', cells: [cell('staging', 'done', 'health'), cell('production', 'running', 'apply')] },
    { name: 'web', cells: [cell('staging', 'failed', 'ci', '')] },
  ],
  stops: [],
  holds: [],
  lines: ['newest', 'older'],
}

const screens: { it: string; view?: Partial<PageView>; size?: Partial<ScreenSize>; want: string[] }[] = [
  {
    it: 'shows the border that each delivery has reached, and the newest line last',
    want: [
      'delivering',
      'SERVICE   STAGING                   PRODUCTION',
      'api       ●●●●●●●●● healthy 1.0.0   ●●●●●●●●○ apply 1.0.0',
      'web       ●●○○○○○○○ stopped at ci   -',
      '',
      'older',
      'newest',
    ],
  },
  {
    it: 'leaves out the version where there is no room',
    size: { columns: 52 },
    view: { lines: [] },
    want: [
      'delivering',
      'SERVICE   STAGING                   PRODUCTION',
      'api       ●●●●●●●●● healthy         ●●●●●●●●○ apply',
      'web       ●●○○○○○○○ stopped at ci   -',
    ],
  },
  {
    it: 'leaves out the bar where there is still less room',
    size: { columns: 40 },
    view: { lines: [] },
    want: [
      'delivering',
      'SERVICE   STAGING         PRODUCTION',
      'api       healthy         apply',
      'web       stopped at ci   -',
    ],
  },
  {
    it: 'takes a line for each environment, and cuts, on the narrowest terminals',
    size: { columns: 24 },
    view: { lines: [] },
    want: [
      'delivering',
      'SERVICE          REACHED',
      'api staging      healthy',
      'api production   apply',
      'web staging      stoppe…',
    ],
  },
  {
    it: 'shows what is not healthy when there is no room for all',
    size: { rows: 7 },
    view: {
      environments: ['staging'],
      services: ['a', 'b', 'c', 'd'].map((name) => ({
        name,
        cells: [cell('staging', name === 'd' ? 'running' : 'done', 'apply', '')],
      })),
    },
    want: ['delivering', 'SERVICE   STAGING', 'd         ●●●●●●●●○ apply', '… and 3 more services', '', 'newest'],
  },
  {
    it: 'names the border that stopped a service, and the cause whole',
    size: { columns: 44 },
    view: {
      environments: ['staging'],
      services: [{ name: 'api', cells: [{ ...cell('staging', 'failed', 'health'), stoppedAt: 'build' }] }],
      stops: [
        {
          environment: 'staging',
          services: ['api'],
          commit: 'bad0001',
          cause: 'build: web.yaml:3: bad',
          next: 'sluice logs run/9',
        },
      ],
      lines: [],
    },
    want: [
      'delivering',
      'SERVICE   STAGING',
      'api       ●●●●●●○○○ stopped at build 1.0.0',
      '',
      '✗ api in staging, commit bad0001: build: web',
      '.yaml:3: bad (sluice logs run/9)',
    ],
  },
  {
    it: 'says that there is no service yet',
    view: { services: [], lines: [] },
    want: ['delivering', 'no service yet'],
  },
  {
    it: 'lets no text from outside move the cursor',
    view: { services: [], lines: ['a\u001b[2Jb\u009bc'] },
    want: ['delivering', 'no service yet', '', 'a?[2Jb?c'],
  },
]
for (const { it, view, size, want } of screens) {
  test(`the live screen ${it}`, () => {
    const drawn = renderScreen({ ...calm, ...view }, 'delivering', { ...big, ...size })
    assert.deepEqual(drawn, want)
  })
}

test('a screen fits every terminal, with colours or without', () => {
  const stops = [{ environment: 'production', services: ['web'], commit: 'bad0001', cause: '部署 '.repeat(60) }]
  const colour = /\u001b\[\d+m/g
  for (let columns = 1; columns < 130; columns += 3)
    for (let rows = 1; rows < 30; rows++)
      for (const hasColour of [true, false]) {
        const lines = renderScreen({ ...calm, stops }, 'delivering 部署', { columns, rows, hasColour })
        assert.ok(lines.length <= Math.max(1, rows - 1), `${lines.length} lines for ${rows} rows`)
        for (const line of lines) assert.ok(widthOf(line.replace(colour, '')) <= columns, `${columns}: ${line}`)
      }
})

test('state has a colour unless colours are not wanted', () => {
  const drawn = renderScreen(calm, 'x', { ...big, hasColour: true }).join('\n')
  for (const part of ['\u001b[32m●●●●●●●●● healthy', '\u001b[33m', '\u001b[31m', '\u001b[1mSERVICE'])
    assert.ok(drawn.includes(part), part)
  assert.ok(!renderScreen(calm, 'x', big).join('\n').includes('\u001b'))
})

const widths: [string, number][] = [
  ['abc', 3],
  ['部署', 4],
  ['e\u0301', 1],
  ['🚀', 2],
]
for (const [text, want] of widths) test(`"${text}" takes ${want} columns`, () => assert.equal(widthOf(text), want))

test('a text is cut where its columns end', () => {
  assert.equal(fitText('部署中', 4), '部…')
  assert.equal(fitText('abc', 3), 'abc')
  assert.equal(fitText('abc', 0), '')
  assert.equal(cleanText('a\tb\u001b'), 'a b?')
})
