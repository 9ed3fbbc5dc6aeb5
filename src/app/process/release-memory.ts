import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MOVED_BYTES } from '../../lib/oci/moved-bytes.ts'

const CALM_MS = 10_000
const MOST_TRIES = 6

/** V8 gives the young generation back only at a collection in a time of few allocations; a small one needs no second try. */
const SMALL_YOUNG_BYTES = 8 << 20

/** So much room between what lives is left; it takes one or two more tries to come to that, each of which moves 6 MiB together at most. */
const SMALL_GAPS_BYTES = 4 << 20

/** So much image content may go by before its buffers are collected; each byte has passed two buffers by then. */
const MOVED_LIMIT_BYTES = 8 << 20

/** So much more in buffers than are in use, those included that have just gone by, and the old ones are collected, too. */
const OLD_BUFFERS_BYTES = 32 << 20

/** How far V8 lets its old generation grow by itself while content goes by: it counts the buffers as part of it (docs/adr/0214). */
const GROWING_PERCENT = 50
/** V8 decides by itself. */
const USUAL_PERCENT = 0

/** A garbage collector; `collect` answers whether what could be given back was, pages that are half empty included. */
export type Collector = { readonly collectYoung: () => void; readonly collect: () => boolean }

/**
 * Collects garbage when nothing has changed and no image content gone by for ten seconds, because V8 keeps what a delivery allocated as long as nothing
 * else asks for memory: 40 MiB, for a pause of about 50 ms. Tries again a few times while V8 holds on to it.
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
  const changed = (): void => tryLater(MOST_TRIES)
  const stops = [onChange(changed), onMovedBytes(changed)]
  return () => {
    clearTimeout(timer)
    for (const stop of stops) stop()
  }
}

/** Calls back with the number of bytes of image content that go by; answers how to stop. */
function onMovedBytes(moved: (bytes: number) => void): () => void {
  const told = (message: unknown): void => moved(typeof message === 'number' ? message : 0)
  subscribe(MOVED_BYTES, told)
  return () => void unsubscribe(MOVED_BYTES, told)
}

/**
 * Collects garbage while image content goes by: its buffers look small to V8, which would let 60 MiB of them pile up, and the
 * C library keeps the room they had for ever (docs/adr/0047). A few milliseconds for 8 MiB.
 *
 * @returns how to stop
 */
export function collectMovedBytes(collector: Collector): () => void {
  let movedBytes = 0
  return onMovedBytes((bytes) => {
    movedBytes += bytes
    if (movedBytes < MOVED_LIMIT_BYTES) return
    movedBytes = 0
    collector.collectYoung()
  })
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
      setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`)
      // V8 frees dead buffers behind its collections, on a thread that may have to wait: the last one's are gone by now, this one's are not.
      const { arrayBuffers } = process.memoryUsage()
      gc({ type: 'minor' })
      usedBytes = Math.min(usedBytes, arrayBuffers)
      if (arrayBuffers < usedBytes + OLD_BUFFERS_BYTES) return
      gc()
      usedBytes = process.memoryUsage().arrayBuffers
    },
    collect() {
      setFlagsFromString(`--heap-growing-percent=${USUAL_PERCENT}`)
      // V8 would empty a page of which most is free; so it does where a fifth is (docs/adr/0275).
      setFlagsFromString('--optimize-for-size')
      gc()
      setFlagsFromString('--no-optimize-for-size')
      return isTight()
    },
  }
}

function isTight(): boolean {
  const spaces = new Map(getHeapSpaceStatistics().map((space) => [space.space_name, space]))
  const [young, old] = [spaces.get('new_space'), spaces.get('old_space')]
  const gaps = (old?.physical_space_size ?? 0) - (old?.space_used_size ?? 0)
  return (young?.physical_space_size ?? 0) <= SMALL_YOUNG_BYTES && gaps <= SMALL_GAPS_BYTES
}
