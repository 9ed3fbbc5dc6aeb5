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
    ...{ at: '', notice: undefined, environments: ['staging', 'production'], lines: [] },
    services: [
      { name: 'api', cells: [cell('staging', 'health: no'), cell('production')] },
      { name: 'web', cells: [cell('staging', 'health: no'), cell('production', 'ci: test')] },
    ],
    stops: [
      { environment: 'staging', services: ['api', 'web'], commit: 'abc1234', cause: 'health: no' },
      { environment: 'production', services: ['web'], commit: '', cause: 'ci: test' },
      { environment: 'flux-system', services: [], commit: 'abc1234', cause: 'apply: namespace "x" not found' },
    ],
  }
  const [, ...causes] = renderStatus(view).split('\n\n')
  assert.deepEqual(causes, [
    'api, web in staging, commit abc1234: health: no',
    'web in production: ci: test',
    'flux-system, commit abc1234: apply: namespace "x" not found',
  ])
})
