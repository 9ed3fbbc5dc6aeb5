import type { PushEvent } from '../embedded/gitd/serve.ts'

/** Those who want to know what the servers see. */
export type Listeners = {
  readonly pushed: (push: PushEvent) => void
  readonly imagePushed: (name: string) => void
}

/** What the servers tell; kept in order until those who listen have started. */
export type Wires = Listeners & {
  /** Hands on what was told so far, then everything as it comes. Answers the pushes that had waited. */
  readonly connect: (listeners: Listeners) => readonly PushEvent[]
}

/** Opens wires that nobody listens to yet: the servers start before the workers and replay what a crash kept from being told. */
export function openWires(): Wires {
  const pushes: PushEvent[] = []
  const images = new Set<string>()
  let connected: Listeners | undefined
  return {
    pushed: (push) => (connected ? connected.pushed(push) : void pushes.push(push)),
    imagePushed: (name) => (connected ? connected.imagePushed(name) : void images.add(name)),
    connect(listeners) {
      connected = listeners
      pushes.forEach(listeners.pushed)
      images.forEach(listeners.imagePushed)
      return pushes
    },
  }
}
