import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MOVED_BYTES } from '../../lib/oci/moved-bytes.ts'

const CALM_MS = 10_000
const MOST_TRIES = 6

/** V8 gives the young generation back only at a collection in a time of few allocations; a small one needs no second try. */
const SMALL_YOUNG_BYTES = 8 << 20

/** So much image content may go by before its buffers are collected; each byte has passed two buffers by then. */
const MOVED_LIMIT_BYTES = 8 << 20

/** So much more in buffers than are in use, and the old ones are collected, too. */
const OLD_BUFFERS_BYTES = 24 << 20

/** A garbage collector; `collect` answers whether what could be given back was. */
export type Collector = { readonly collectYoung: () => void; readonly collect: () => boolean }

/**
 * Collects garbage when nothing has changed for ten seconds, because V8 keeps what a delivery allocated as long as nothing else asks for memory:
 * 40 MiB, for a pause of about 50 ms. Tries again a few times while V8 holds on to it.
 *
 * @param onChange calls back at every change; answers how to stop that
 * @returns how to stop
 */
export function releaseMemoryWhenCalm(
  collector: Collector,
  onChange: (changed: () => void) => () => void,
  calmMs = CALM_MS,
): () => void {
  let timer: NodeJS.Timeout | undefined
  const tryLater = (tries: number): void => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      if (!collector.collect() && tries > 1) tryLater(tries - 1)
    }, calmMs).unref()
  }
  const stop = onChange(() => tryLater(MOST_TRIES))
  return () => {
    clearTimeout(timer)
    stop()
  }
}

/**
 * Collects garbage while image content goes by: its buffers look small to V8, which would let 60 MiB of them pile up, and the
 * C library keeps the room they had for ever (docs/adr/0047). A few milliseconds for 8 MiB.
 *
 * @returns how to stop
 */
export function collectMovedBytes(collector: Collector): () => void {
  let movedBytes = 0
  const count = (message: unknown): void => {
    movedBytes += typeof message === 'number' ? message : 0
    if (movedBytes < MOVED_LIMIT_BYTES) return
    movedBytes = 0
    collector.collectYoung()
  }
  subscribe(MOVED_BYTES, count)
  return () => void unsubscribe(MOVED_BYTES, count)
}

/**
 * Has V8 drop all code of functions that have not run for some collections: by default it keeps that of functions that were once compiled without
 * optimisation, and much of a server runs at its start alone (docs/adr/0177).
 */
export function dropIdleCode(): void {
  setFlagsFromString('--flush-baseline-code')
}

/**
 * Takes the pieces that small buffers are cut from 64 KiB at a time, which the C library gives back whole when they are collected. The usual 8 KiB lie
 * among what lives long: 1,400 of them at a time leave holes of 10 MiB (docs/adr/0178).
 */
export function poolBuffersInBulk(): void {
  Buffer.poolSize = 65_536
}

/** The collector of V8, which only a context that is made under a flag has; the flag is taken back, because V8 takes no compiled code of other flags. */
export function collectorOfV8(): Collector {
  setFlagsFromString('--expose-gc')
  const found: unknown = runInNewContext('gc')
  setFlagsFromString('--no-expose-gc')
  const gc = (...words: readonly { readonly type: 'minor' }[]): void => {
    if (typeof found === 'function') found(...words)
  }
  let usedBytes = 0
  return {
    collectYoung() {
      gc({ type: 'minor' })
      const { arrayBuffers } = process.memoryUsage()
      usedBytes = Math.min(usedBytes, arrayBuffers)
      if (arrayBuffers < usedBytes + OLD_BUFFERS_BYTES) return
      gc()
      usedBytes = process.memoryUsage().arrayBuffers
    },
    collect() {
      gc()
      const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')
      return (young?.physical_space_size ?? 0) <= SMALL_YOUNG_BYTES
    },
  }
}
