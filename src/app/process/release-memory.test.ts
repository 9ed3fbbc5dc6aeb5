import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { getHeapSpaceStatistics } from 'node:v8'
import { MOVED_BYTES } from '../../lib/oci/moved-bytes.ts'
import { collectMovedBytes, collectorOfV8, type Collector, releaseMemoryWhenCalm } from './release-memory.ts'

test('memory is released once after the last of many changes, again while V8 holds on to it, and not after the stop', async () => {
  let change = (): void => undefined
  const onChange = (changed: () => void) => ((change = changed), () => undefined)
  let collections = 0
  // The product's timers let the process end; the test waits for them.
  const awake = setInterval(() => undefined, 1000)
  await new Promise<void>((released) => {
    const collect = (): boolean => {
      if (++collections === 3) released()
      return collections === 3
    }
    releaseMemoryWhenCalm({ ...idle, collect }, onChange, 1)
    for (let n = 0; n < 5; n++) change()
    assert.equal(collections, 0)
  })
  clearInterval(awake)
  assert.equal(collections, 3)
  const stop = releaseMemoryWhenCalm({ ...idle, collect: () => ++collections > 0 }, onChange, 1)
  change()
  stop()
  await new Promise((later) => setTimeout(later, 5))
  assert.equal(collections, 3)
})

test('memory is released after image content went by, too', async () => {
  const awake = setInterval(() => undefined, 1000)
  let stop = (): void => undefined
  await new Promise<void>((released) => {
    const collect = (): boolean => {
      released()
      return true
    }
    stop = releaseMemoryWhenCalm({ ...idle, collect }, () => () => undefined, 1)
    channel(MOVED_BYTES).publish(1 << 16)
  })
  stop()
  clearInterval(awake)
})

test('young garbage is collected for every 8 MiB that went by, until stopped', () => {
  let collections = 0
  const stop = collectMovedBytes({ ...idle, collectYoung: () => void collections++ })
  for (let n = 0; n < 17; n++) channel(MOVED_BYTES).publish(1 << 20)
  stop()
  for (let n = 0; n < 17; n++) channel(MOVED_BYTES).publish(1 << 20)
  assert.equal(collections, 2)
})

test('the collector of V8 can be reached, and takes what nobody holds', () => {
  const collector = collectorOfV8()
  const before = process.memoryUsage().arrayBuffers
  for (let n = 0; n < 64; n++) Buffer.alloc(1 << 20)
  collector.collectYoung()
  collector.collect()
  assert.ok(process.memoryUsage().arrayBuffers < before + (16 << 20))
})

test('what lives is moved together, so that the pages between it are given back', () => {
  const collector = collectorOfV8()
  const gaps = (): number => {
    const old = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')
    return (old?.physical_space_size ?? 0) - (old?.space_used_size ?? 0)
  }
  // of pages that are half empty, more of them than are moved at once
  const objects: (object | undefined)[] = Array.from({ length: 400_000 }, (_, n) => ({ n, a: n, b: n, c: n, d: n }))
  collector.collectYoung()
  collector.collectYoung()
  for (let n = 0; n < objects.length; n += 2) objects[n] = undefined
  let tries = 1
  while (!collector.collect() && tries < 6) tries++
  assert.ok(gaps() <= 4 << 20, `${gaps()} bytes between ${objects.length / 2} objects after ${tries} tries`)
})

const idle: Collector = { collectYoung: () => undefined, collect: () => true }
