import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../../../../tests/support/manual-clock.ts'
import type { KubeClient } from '../../../../adapters/kube/types.ts'
import type { Pod } from '../shapes.ts'
import { keepTokens } from './tokens.ts'

const MINUTE_MS = 60_000
const DAY_MS = 1_440 * MINUTE_MS
const pod: Pod = {
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop', uid: 'u' } },
  spec: { containers: [] },
}

/** An API server that numbers the tokens that it gives for an hour, by a clock of its own. */
function world() {
  const clock = manualClock(100 * DAY_MS)
  const server = { isAway: false, asked: 0 }
  const raw = async () => {
    if (server.isAway) throw new Error('away')
    const expirationTimestamp = new Date(clock.monotonicMs() + 60 * MINUTE_MS).toISOString()
    return { status: 201, text: JSON.stringify({ status: { token: `${++server.asked}`, expirationTimestamp } }) }
  }
  const tokens = keepTokens({ raw } as unknown as KubeClient, clock)
  const token = () => tokens.tokenFor(pod, { audience: '', expirationSeconds: 3600 })
  return { clock, server, token }
}

for (const setByMs of [0, -10 * DAY_MS])
  test(`a token is asked for anew at four fifths of its time, with a clock that is set by ${setByMs} ms`, async () => {
    const { clock, server, token } = world()
    assert.equal(await token(), '1')
    clock.set(setByMs)
    clock.advance(47 * MINUTE_MS)
    assert.equal(await token(), '1')
    clock.advance(2 * MINUTE_MS)
    server.isAway = true
    assert.equal(await token(), '1', 'it still holds')
    clock.advance(12 * MINUTE_MS)
    assert.equal(await token(), undefined)
  })

test('a clock that is set forward asks for another token', async () => {
  const { clock, token } = world()
  await token()
  clock.set(10 * DAY_MS)
  assert.equal(await token(), '2')
})
