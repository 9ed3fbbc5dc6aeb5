import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CellView, PageView } from '../dashboard/view.ts'
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
  }
  const [, ...causes] = renderStatus(view).split('\n\n')
  assert.deepEqual(causes, ['api, web in staging: health: no', 'web in production: ci: test'])
})
