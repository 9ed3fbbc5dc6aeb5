import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../../tests/support/manual-clock.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { ApiError } from './api-error.ts'
import { holdLease, type LeaderLease, takeLease } from './leader-lease.ts'
import type { KubeClient } from './types.ts'

type Spec = { holderIdentity: string; leaseDurationSeconds: number; leaseTransitions: number }

/** A server with one Lease, which refuses a write of what has changed since it was read. */
function openServer() {
  const state: { spec: Spec | undefined; version: number; isAway: boolean; before: () => void } = {
    ...{ spec: undefined, version: 0, isAway: false },
    before: () => undefined,
  }
  const show = (): KubeObject =>
    ({
      metadata: { name: 'l', resourceVersion: String(state.version) },
      spec: { ...state.spec },
    }) as unknown as KubeObject
  const put = ({ metadata, spec }: KubeObject): KubeObject => {
    state.before()
    if (state.isAway) throw new Error('away')
    const isStale = metadata.resourceVersion !== undefined && metadata.resourceVersion !== String(state.version)
    if (isStale) throw new ApiError(409, 'Conflict', 'the object has been modified')
    state.version++
    state.spec = spec as Spec
    return show()
  }
  const client = {
    async get() {
      if (state.isAway) throw new Error('away')
      return state.spec && show()
    },
    create: async (object: KubeObject) => put(object),
    replace: async (object: KubeObject) => put(object),
  } as unknown as KubeClient
  return {
    state,
    client,
    take: (holderIdentity: string) =>
      put({ metadata: { name: 'l' }, spec: lease(holderIdentity) } as unknown as KubeObject),
  }
}

const lease = (holderIdentity: string): Spec => ({ holderIdentity, leaseDurationSeconds: 15, leaseTransitions: 3 })

function open({ client }: ReturnType<typeof openServer>, identity: string, clock = manualClock()) {
  const held: LeaderLease = holdLease({
    ...{ client, clock, namespace: 'n', name: 'l', identity },
    ...{ leaseMs: 15_000, renewMs: 10_000, retryMs: 2_000, log: () => undefined },
  })
  /** Turns the clock in steps, so that every try is made and answered. */
  const pass = async (ms: number): Promise<void> => {
    await settled()
    for (let left = ms; left > 0; left -= 1_000) {
      clock.advance(Math.min(left, 1_000))
      await settled()
    }
  }
  return { held, pass, clock }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
}

test('who finds no lease leads, and goes on leading while it can renew', async () => {
  const server = openServer()
  const { held, pass } = open(server, 'a')
  await held.whenLeading()
  await pass(60_000)
  assert.ok(held.isLeading())
  assert.deepEqual([server.state.spec?.holderIdentity, server.state.spec?.leaseTransitions], ['a', 0])
  await held.close()
})

test('another waits until a lease has not changed for as long as it says, by its own clock', async () => {
  const server = openServer()
  server.take('a')
  const { held, pass } = open(server, 'b')
  await pass(10_000)
  server.take('a')
  await pass(16_000)
  assert.ok(!held.isLeading(), 'renewed after 10 s, it holds until 25 s')
  await pass(4_000)
  assert.ok(held.isLeading())
  assert.deepEqual([server.state.spec?.holderIdentity, server.state.spec?.leaseTransitions], ['b', 4])
  await held.close()
})

test('who cannot reach the server leads no more before others may', async () => {
  const server = openServer()
  const { held, pass } = open(server, 'a')
  await held.whenLeading()
  const lost = held.whenLost()
  server.state.isAway = true
  await pass(9_000)
  assert.ok(held.isLeading())
  await pass(1_000)
  assert.ok(!held.isLeading())
  await lost
  server.state.isAway = false
  await pass(2_000)
  assert.ok(held.isLeading())
  await held.close()
})

test('who sees another hold the lease leads no more at once', async () => {
  const server = openServer()
  const { held, pass } = open(server, 'a')
  await held.whenLeading()
  server.take('b')
  await pass(2_000)
  assert.ok(!held.isLeading())
  await held.close()
  assert.equal(server.state.spec?.holderIdentity, 'b')
})

test('of two who take a free lease one leads', async () => {
  const server = openServer()
  server.take('')
  server.state.before = () => {
    server.state.before = () => undefined
    server.take('b')
  }
  const { held, pass } = open(server, 'a')
  await pass(1_000)
  assert.ok(!held.isLeading())
  assert.equal(server.state.spec?.holderIdentity, 'b')
  await held.close()
})

test('a write that takes long holds the lease from when it was begun', async () => {
  const server = openServer()
  const clock = manualClock()
  server.state.before = () => {
    server.state.before = () => undefined
    clock.advance(8_000)
  }
  const { held } = open(server, 'a', clock)
  await settled()
  assert.ok(held.isLeading())
  server.state.isAway = true
  clock.advance(2_000)
  await settled()
  assert.ok(!held.isLeading())
  await held.close()
})

test('a lease that is given back is taken at the next look', async () => {
  const server = openServer()
  const first = open(server, 'a')
  await first.held.whenLeading()
  const second = open(server, 'b')
  await second.pass(2_000)
  assert.ok(!second.held.isLeading())
  await first.held.close()
  await second.pass(2_000)
  assert.ok(second.held.isLeading())
  await second.held.close()
})

test('a lease is taken from who holds it', async () => {
  const server = openServer()
  const first = open(server, 'first')
  await first.pass(1_000)
  assert.equal(first.held.isLeading(), true)
  const mine = {
    client: server.client,
    clock: manualClock(),
    namespace: 'n',
    name: 'l',
    identity: 'owner',
    leaseMs: 9_000,
  }
  let renewals = 2
  server.state.before = () => {
    if (renewals-- > 0) server.state.version++
  }
  await takeLease(mine)
  assert.deepEqual(server.state.spec?.holderIdentity, 'owner')
  await first.pass(5_000)
  assert.equal(first.held.isLeading(), false)
  await first.held.close()
  assert.deepEqual(server.state.spec?.holderIdentity, 'owner')
})

const DAY_MS = 86_400_000
const SET = [
  ['an hour back', -DAY_MS / 24],
  ['ten days back', -10 * DAY_MS],
  ['ten days forward', 10 * DAY_MS],
] as const

for (const [it, byMs] of SET) {
  test(`who leads goes on leading when its clock is set ${it}`, async () => {
    const { held, pass, clock } = open(openServer(), 'a', manualClock(100 * DAY_MS))
    await held.whenLeading()
    let isLost = false
    void held.whenLost().then(() => (isLost = true))
    clock.set(byMs)
    await pass(2_000)
    assert.deepEqual([held.isLeading(), isLost], [true, false])
    await held.close()
  })

  test(`who leads is not told that the lease is lost while a server takes its time, when its clock is set ${it}`, async () => {
    const server = openServer()
    const clock = manualClock(100 * DAY_MS)
    let tookMs = 0
    const get = async (ref: Parameters<KubeClient['get']>[0]) => {
      if (tookMs > 0) await new Promise<void>((resolve) => void clock.after(tookMs, resolve))
      return server.client.get(ref)
    }
    const { held, pass } = open({ ...server, client: { ...server.client, get } }, 'a', clock)
    await held.whenLeading()
    let isLost = false
    void held.whenLost().then(() => (isLost = true))
    clock.set(byMs)
    tookMs = 500
    await pass(3_000)
    tookMs = 0
    assert.deepEqual([held.isLeading(), isLost], [true, false])
    await held.close()
  })

  test(`who waits takes the lease neither earlier nor later when its clock is set ${it}`, async () => {
    const server = openServer()
    server.take('a')
    const { held, pass, clock } = open(server, 'b', manualClock(100 * DAY_MS))
    await pass(1_000)
    clock.set(byMs)
    await pass(12_000)
    assert.ok(!held.isLeading())
    await pass(5_000)
    assert.ok(held.isLeading())
    await held.close()
  })

  test(`who cannot reach the server leads no more before others may, though its clock is set ${it}`, async () => {
    const server = openServer()
    const { held, pass, clock } = open(server, 'a', manualClock(100 * DAY_MS))
    await held.whenLeading()
    server.state.isAway = true
    clock.set(byMs)
    await pass(10_000)
    assert.ok(!held.isLeading())
    await held.close()
  })
}

test('who has slept leads no more until the lease is held again: its own time stood still', async () => {
  const { held, pass, clock } = open(openServer(), 'a', manualClock(100 * DAY_MS))
  await held.whenLeading()
  clock.set(11_000)
  assert.ok(!held.isLeading())
  await pass(2_000)
  assert.ok(held.isLeading())
  await held.close()
})
