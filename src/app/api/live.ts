import type { Route } from './route.ts'

const KEEP_ALIVE_MS = 15_000

/** Something that changes: its present value, and a way to be told. */
export type LiveValue<T> = { readonly current: () => T; readonly subscribe: (changed: () => void) => () => void }

/**
 * Server-sent events: the whole value at once and again after every change, changes within one turn joined into one message.
 * A browser that fell behind is sent only the newest value.
 */
export function liveRoute<T>(path: string, live: LiveValue<T>): Route {
  return {
    method: 'GET',
    path,
    role: 'viewer',
    handle: () => new Response(stream(live), { headers: { 'content-type': 'text/event-stream' } }),
  }
}

function stream<T>(live: LiveValue<T>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let stop = (): void => {}
  return new ReadableStream({
    start(controller) {
      let isQueued = false
      const send = (): void => {
        isQueued = false
        controller.enqueue(encoder.encode(`data: ${JSON.stringify(live.current())}\n\n`))
      }
      const changed = (): void => {
        if (isQueued) return
        isQueued = true
        setImmediate(send)
      }
      const beat = setInterval(() => controller.enqueue(encoder.encode(': still here\n\n')), KEEP_ALIVE_MS)
      beat.unref()
      const unsubscribe = live.subscribe(changed)
      stop = () => {
        clearInterval(beat)
        unsubscribe()
        isQueued = true
      }
      send()
    },
    cancel: () => stop(),
  })
}
