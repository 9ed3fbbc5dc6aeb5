import type { EnginePart } from '../context.ts'
import { receiverController } from './controller.ts'
import { listenForHooks } from './listen.ts'
import { openSigningKeys } from './signing-keys.ts'

/** Receivers: their paths in their status, and the listener that answers there. */
export const receiverPart: EnginePart = async (context, { start, receiverListen }) => {
  const cache = context.caches.open({ apiVersion: 'notification.toolkit.fluxcd.io/v1', kind: 'Receiver' })
  await start(receiverController(context, cache))
  if (receiverListen === '') return undefined
  const { client, clock, traps, crossNamespace, log } = context
  const listener = await listenForHooks(receiverListen, {
    ...{ client, clock, traps, crossNamespace, log, startedMs: clock.monotonicMs() },
    receivers: () => cache.list(),
    signingKeys: openSigningKeys(context),
  })
  context.listens('receivers', listener)
  return () => listener.close()
}
