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
  let next = `data: ${JSON.stringify(live.current())}\n\n`
  let wake = (): void => {}
  const beat = setInterval(() => say(': still here\n\n'), KEEP_ALIVE_MS)
  beat.unref()
  const unsubscribe = live.subscribe(() => say('changed'))
  const say = (what: string): void => {
    if (next === '' || what === 'changed') next = what
    wake()
  }
  return new ReadableStream(
    {
      async pull(controller) {
        while (next === '') await new Promise<void>((resolve) => (wake = resolve))
        await new Promise((resolve) => setImmediate(resolve))
        const text = next === 'changed' ? `data: ${JSON.stringify(live.current())}\n\n` : next
        next = ''
        controller.enqueue(encoder.encode(text))
      },
      cancel() {
        clearInterval(beat)
        unsubscribe()
      },
    },
    { highWaterMark: 0 },
  )
}
