import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CellView, PageView } from '../../page-view.ts'
import { type Delivered, verdictText } from './verdict-text.ts'

const cell: CellView = {
  ...{ environment: 'staging', version: '1.0.0', commit: 'abcdef0', url: undefined, borders: [] },
  ...{ cause: undefined, state: 'done' },
}
const calm: PageView = {
  ...{ at: '', notice: undefined, environments: ['staging'], lines: [], stops: [], holds: [] },
  services: [{ name: 'api', cells: [cell] }],
}

const waiting = [{ name: 'api', cells: [{ ...cell, waitsAt: 'policy' }] }]
const notImported = { what: 'app differs from abc1234', remedy: () => '' }
const rows: { it: string; seen?: Partial<PageView>; notImported?: Delivered['notImported']; want: string[] }[] = [
  { it: 'is healthy', want: [] },
  { it: 'is healthy, though pods are simulated', seen: { notice: 'pods are simulated' }, want: ['pods are simulated'] },
  { it: 'is healthy, though not all was pushed', notImported, want: ['app differs from abc1234'] },
  {
    it: 'is healthy, though something newer waits',
    seen: { services: waiting },
    want: ['a delivery of api to staging waits at policy: see above'],
  },
]
for (const { it, seen, notImported, want } of rows)
  test(`the verdict on what ${it} says so`, () => {
    const said = verdictText({ state: 'healthy' }, { view: () => ({ ...calm, ...seen }), notImported }, 1234)
    const [, verdict] = said.split('\n\n').slice(-2)
    assert.equal(verdict, ['everything is healthy after 1.2 s', ...want.map((but) => `! but ${but}`)].join('\n'))
  })

test('the verdict on what does not arrive says why', () => {
  const delivered = { view: () => calm, notImported: undefined }
  const failed = verdictText({ state: 'failed', causes: ['one', 'two'] }, delivered, 1000)
  assert.match(failed, /\n\nnot healthy after 1\.0 s:\n {2}one\n {2}two$/)
  assert.match(verdictText({ state: 'busy', waitingFor: 'a run' }, delivered, 1000), /:\n {2}still waiting for a run$/)
})
