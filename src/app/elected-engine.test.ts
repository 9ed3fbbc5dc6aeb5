import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../tests/support/manual-clock.ts'
import { ApiError } from '../adapters/kube/api-error.ts'
import type { KubeClient } from '../adapters/kube/types.ts'
import { leadOwnCluster } from './elected-engine.ts'

test('a cluster that refuses the lease is led nevertheless, and it is said what that means', async () => {
  const refuse = () => Promise.reject(new ApiError(403, 'Forbidden', 'leases are refused by policy "none"'))
  const client = { get: async () => undefined, create: refuse } as unknown as KubeClient
  const lines: string[] = []
  await leadOwnCluster(client, manualClock(), (line) => lines.push(line))
  assert.match(
    lines.join('\n'),
    /^the lease kube-system\/sluice-leader-election is not held: .* would write beside .*refused by policy "none"/,
  )
})
