import { createHash } from 'node:crypto'
import type { BasicStatus } from '../../../controllers/basic-status.ts'
import {
  decideReceiver,
  finished,
  type ReceiverChange,
  type ReceiverSeen,
  retryAfterMs,
} from '../../../controllers/receiver.ts'
import type { Controller } from '../../../engine/controller.ts'
import { parseReceiver, type Receiver } from '../../../kinds/receiver.ts'
import { isReady } from '../../../kinds/flux-object.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { isRefusal } from '../../kube/api-error.ts'
import type { AbsorbingCache } from '../../kube/types.ts'
import type { EngineContext } from '../context.ts'
import { readSecret } from '../secrets.ts'
import { type ObjectIo, objectIo } from '../image/object-io.ts'
import { keyOf } from '../status-writer.ts'

/** What is remembered of a Receiver between looks. */
type Memory = { handled: string; nextMs: number; failures: number; knownSinceMs: number | undefined }

/** The manager that writes Receivers, and what they wake. */
export const NOTIFICATION_MANAGER = 'notification-controller'

/** The controller of Receivers: keeps the path of each in its status, which is where the listener finds it. */
export function receiverController(
  context: EngineContext,
  cache: AbsorbingCache,
): Controller<ReceiverSeen, ReceiverChange, BasicStatus> {
  const io = objectIo(context, cache, NOTIFICATION_MANAGER)
  const memories = new Map<string, Memory>()
  const secrets = context.caches.open({
    apiVersion: 'v1',
    kind: 'Secret',
    labelSelector: 'reconcile.fluxcd.io/watch=Enabled',
  })
  return {
    kind: 'Receiver',
    concurrency: 4,
    async watch(wake) {
      cache.onChange((object) => wake.now(keyOf(object)))
      secrets.onChange((secret) => {
        for (const { namespace, name, secretName } of cache.list().map(parseReceiver)) {
          if (secretName !== secret.metadata.name || namespace !== secret.metadata.namespace) continue
          memoryOf(memories, `${namespace}/${name}`).nextMs = 0
          wake.now(`${namespace}/${name}`)
        }
      })
      await cache.ready
      for (const object of cache.list()) wake.now(keyOf(object))
    },
    observe: (key) => observe(context, io, memories, key),
    decide: decideReceiver,
    async act(changes, { receiver }, key) {
      for (const change of changes) {
        await (change === 'add finalizer' ? io.addFinalizer(receiver, key) : io.removeFinalizer(receiver, key))
        if (change === 'remove finalizer' && context.traps === 'flux') tellGone(context, receiver)
      }
    },
    async settle(status, seen, key) {
      if (status.status !== undefined) {
        const memory = memoryOf(memories, key)
        const isMissing = 'missing' in seen.path
        memory.handled = askOf(seen.receiver)
        memory.failures = isMissing ? seen.failures + 1 : 0
        const waitMs = isMissing ? retryAfterMs(seen) : seen.receiver.intervalMs * 0.95
        memory.nextMs = context.clock.monotonicMs() + waitMs - 1
      }
      await io.settle(status, seen.receiver, key)
    },
    close() {
      secrets.close()
      cache.close()
    },
  }
}

/** Flux says of a deletion what it says of every reconcile that ended well. */
function tellGone({ tell, clock }: EngineContext, receiver: Receiver): void {
  if (!isReady(receiver)) return
  const { apiVersion, kind, namespace, name, uid, resourceVersion } = receiver
  const object = { apiVersion, kind, namespace, name, uid, resourceVersion }
  tell({ object, ...finished(receiver), controller: NOTIFICATION_MANAGER, atMs: clock.nowMs() })
}

async function observe(
  context: EngineContext,
  io: ObjectIo,
  memories: Map<string, Memory>,
  key: string,
): Promise<ReceiverSeen | undefined> {
  const object = io.view.get(key)
  if (!object) {
    memories.delete(key)
    return undefined
  }
  const receiver = parseReceiver(object)
  const { clock } = context
  const memory = memoryOf(memories, key)
  memory.knownSinceMs ??= clock.monotonicMs()
  const dueInMs = memory.handled === askOf(receiver) ? memory.nextMs - clock.monotonicMs() : 0
  const path = dueInMs > 0 ? { path: receiver.webhookPath } : await findPath(context, receiver)
  const { failures, knownSinceMs } = memory
  const knownMs = clock.monotonicMs() - knownSinceMs
  return {
    receiver,
    nowMs: clock.nowMs(),
    random: context.random(),
    dueInMs,
    path,
    failures,
    knownMs,
    traps: context.traps,
  }
}

function memoryOf(memories: Map<string, Memory>, key: string): Memory {
  const memory = memories.get(key) ?? { handled: '', nextMs: 0, failures: 0, knownSinceMs: undefined }
  memories.set(key, memory)
  return memory
}

function askOf({ generation, requestedAt }: Receiver): string {
  return JSON.stringify([generation, requestedAt])
}

async function findPath(context: EngineContext, receiver: Receiver): Promise<ReceiverSeen['path']> {
  const { namespace, name, secretName } = receiver
  if (secretName === undefined) return { path: webhookPath('', name, namespace) }
  try {
    const token = (await readSecret(context.client, namespace, secretName))['token']
    return token === undefined
      ? { missing: `invalid '${namespace}/${secretName}' secret data: required fields 'token'` }
      : { path: webhookPath(token.toString('utf8'), name, namespace) }
  } catch (error) {
    if (!(error instanceof SluiceError) && !isRefusal(error)) throw error
    return { missing: `unable to read token from secret '${namespace}/${secretName}' error: ${error.message}` }
  }
}

/** Flux's path: nobody without the token can guess it. */
function webhookPath(token: string, name: string, namespace: string): string {
  return `/hook/${createHash('sha256').update(`${token}${name}${namespace}`).digest('hex')}`
}
