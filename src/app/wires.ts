import type { PushEvent } from '../embedded/gitd/serve.ts'

/** Those who want to know what the servers see. */
export type Listeners = {
  /** Resolves when the push may be acknowledged: all who must know of it have it on disk. */
  readonly pushed: (push: PushEvent) => Promise<void>
  readonly imagePushed: (name: string) => void
}

/** What the servers tell; kept in order until those who listen have started. */
export type Wires = Listeners & {
  /** The pushes that wait for somebody to listen. */
  readonly waiting: () => readonly PushEvent[]
  /** Hands on what was told so far, then everything as it comes. */
  readonly connect: (listeners: Listeners) => void
  /** Nobody will listen any more: what waits is found at the next start. */
  readonly close: () => void
}

/** Opens wires that nobody listens to yet: the servers start before the workers and replay what a crash kept from being told. */
export function openWires(): Wires {
  const pushes: { readonly push: PushEvent; readonly told: (kept: Promise<void>) => void }[] = []
  const images = new Set<string>()
  let connected: Listeners | undefined
  const connect = (listeners: Listeners): void => {
    connected = listeners
    for (const { push, told } of pushes.splice(0)) told(listeners.pushed(push))
    images.forEach(listeners.imagePushed)
  }
  return {
    pushed: (push) => connected?.pushed(push) ?? new Promise((told) => pushes.push({ push, told })),
    imagePushed: (name) => (connected ? connected.imagePushed(name) : void images.add(name)),
    waiting: () => pushes.map(({ push }) => push),
    connect,
    close() {
      if (!connected) connect({ pushed: () => Promise.resolve(), imagePushed: () => undefined })
    },
  }
}
