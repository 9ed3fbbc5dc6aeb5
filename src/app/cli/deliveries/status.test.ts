import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CellView, PageView } from '../../page-view.ts'
import { renderStatus } from './status.ts'

const cell = (environment: string, cause?: string): CellView => ({
  ...{ environment, version: '1.0.0', commit: 'abcdef0', url: undefined, borders: [], cause },
  state: cause === undefined ? 'done' : 'failed',
})

test('a cause that stops several services is said once', () => {
  const view: PageView = {
    ...{ at: '', notice: undefined, environments: ['staging', 'production'], lines: [], holds: [] },
    services: [
      { name: 'api', cells: [cell('staging', 'health: no'), cell('production')] },
      { name: 'web', cells: [cell('staging', 'health: no'), cell('production', 'ci: test')] },
    ],
    stops: [
      { environment: 'staging', services: ['api', 'web'], commit: 'abc1234', cause: 'health: no' },
      { environment: 'production', services: ['web'], commit: '', cause: 'ci: test', next: 'sluice logs run/9' },
      { environment: 'flux-system', services: [], commit: 'abc1234', cause: 'apply: namespace "x" not found' },
    ],
  }
  const [, ...causes] = renderStatus(view).split('\n\n')
  assert.deepEqual(causes, [
    'api, web in staging, commit abc1234: health: no',
    'web in production: ci: test\n  next: sluice logs run/9',
    'flux-system, commit abc1234: apply: namespace "x" not found',
  ])
})

test('what does not move says what it waits for, and what is suspended is told', () => {
  const border = { name: 'policy', state: 'waiting', detail: 'nobody takes dev-5' } as const
  const waiting: CellView = { ...cell('staging'), state: 'running', waitsAt: 'policy', borders: [border] }
  const view: PageView = {
    ...{ at: '', notice: undefined, environments: ['staging'], lines: [], stops: [] },
    services: [{ name: 'api', cells: [waiting] }],
    holds: [{ object: 'Kustomization flux-system/staging', cause: 'is suspended' }],
  }
  const [table, ...said] = renderStatus(view).split('\n\n')
  assert.match(table ?? '', /waits at policy/)
  assert.deepEqual(said, [
    'api in staging, commit abcdef0, waits at policy: nobody takes dev-5',
    'Kustomization flux-system/staging is suspended',
  ])
})
