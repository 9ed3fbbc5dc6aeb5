import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const CALM_MS = 10_000

/**
 * Collects garbage once when nothing has changed for ten seconds, because V8 keeps what a delivery allocated as long as nothing else asks for memory:
 * 20 MiB, for a pause of about 50 ms.
 *
 * @param onChange calls back at every change; answers how to stop that
 * @param collect what is called; the collector of V8 unless a test says otherwise
 * @returns how to stop
 */
export function releaseMemoryWhenCalm(
  onChange: (changed: () => void) => () => void,
  collect: () => void = collector(),
  calmMs = CALM_MS,
): () => void {
  let timer: NodeJS.Timeout | undefined
  const stop = onChange(() => {
    clearTimeout(timer)
    timer = setTimeout(collect, calmMs).unref()
  })
  return () => {
    clearTimeout(timer)
    stop()
  }
}

function collector(): () => void {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  return () => {
    if (typeof collect === 'function') collect()
  }
}
