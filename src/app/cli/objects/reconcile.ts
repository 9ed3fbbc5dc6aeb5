import { parseArgs } from 'node:util'
import type { KubeClient } from '../../../adapters/kube/types.ts'
import { parseDurationMs } from '../../../kinds/duration.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { KubeObject, ObjectRef } from '../../../lib/kube/object.ts'
import { isSuspended } from '../../../kinds/flux-object.ts'
import { conditionOf, read, readList } from '../../../lib/kube/read.ts'
import { abortAfter } from '../../../machine/timers.ts'
import { resumeCommand } from '../../../pipeline/record/halt.ts'
import { CLUSTER_OPTIONS, CLUSTER_USAGE, withCluster } from '../cluster.ts'
import { type Command, type ExitCode, type Io, usageError } from '../command.ts'
import { defaultNamespace } from './get.ts'
import { refuseMore } from '../misread.ts'
import { findKind, fluxKind, splitKind } from './kind-names.ts'

/** The annotation by which Flux's users ask for a reconcile now; the status repeats the value when it is done. */
const REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt'
const FIELD_MANAGER = 'flux'

export const reconcile: Command = {
  name: 'reconcile',
  summary: 'Reconcile an object now and wait for the result',
  usage: `sluice reconcile <kind> <name> [--with-source] [--timeout 5m] ${CLUSTER_USAGE}`,
  async run(argv, io) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...CLUSTER_OPTIONS, 'with-source': { type: 'boolean' }, timeout: { type: 'string', default: '5m' } },
    })
    const { kind: kindName, rest } = splitKind(positionals)
    refuseMore(rest, 1)
    const name = rest[0]
    if (kindName === '' || name === undefined) return usageError(io, reconcile, 'which object?')
    const { kind: stateless = '' } = fluxKind(kindName) ?? {}
    if (stateless === 'Provider' || stateless === 'Alert')
      return usageError(
        io,
        reconcile,
        `${stateless}s have no status and nothing to reconcile: they count from the next event on`,
      )
    return withCluster(values, io, async (client) => {
      const kind = await findKind(client, kindName)
      const ref: ObjectRef = { ...kind, namespace: values.namespace ?? defaultNamespace(kind), name }
      const timeoutMs = parseTimeout(values.timeout)
      if (values['with-source']) {
        const source = sourceOf(await mustGet(client, ref))
        const failed = await reconcileOne(client, source, timeoutMs, io)
        if (failed !== 0) return failed
      }
      return await reconcileOne(client, ref, timeoutMs, io)
    })
  },
}

/** A duration as flux takes it, or a number of seconds. @throws SluiceError USAGE */
export function parseTimeout(text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : parseDurationMs(text)
  if (ms !== undefined && ms > 0) return ms
  throw new SluiceError('USAGE', `--timeout is a duration, as 5m, not "${text}"`)
}

/** Waits until an object that was just written is reconciled, and says how that ended. */
export async function waitForWritten(
  client: KubeClient,
  ref: ObjectRef,
  written: KubeObject,
  timeoutMs: number,
  io: Io,
): Promise<ExitCode> {
  io.err(`◎ waiting for ${ref.kind} reconciliation`)
  const { generation } = written.metadata
  const isDone = (object: KubeObject): boolean => {
    const ready = readList(object, 'status', 'conditions').find((one) => read(one, 'type') === 'Ready')
    const status = read(ready, 'status')
    return read(ready, 'observedGeneration') === generation && (status === 'True' || status === 'False')
  }
  const ready = conditionOf(await waitUntil(client, ref, written, timeoutMs, isDone, io), 'Ready')
  const isWell = ready?.status === 'True'
  io.err(
    `${isWell ? '✔' : '✗'} ${ref.kind} ${ref.name} ${isWell ? 'reconciliation completed' : `reconciliation failed: ${ready?.message.trim() ?? ''}`}`,
  )
  return isWell ? 0 : 1
}

async function reconcileOne(client: KubeClient, ref: ObjectRef, timeoutMs: number, io: Io): Promise<ExitCode> {
  const before = await mustGet(client, ref)
  const what = `${ref.kind} ${ref.name} in ${ref.namespace} namespace`
  if (isSuspended(before)) {
    throw new SluiceError('OBJECT_SUSPENDED', `${what} is suspended`, {
      hint: `resume it with: ${resumeCommand(ref.kind, ref)}`,
    })
  }
  const requestedAt = new Date().toISOString()
  io.err(`► annotating ${what}`)
  const body = { metadata: { annotations: { [REQUESTED_AT]: requestedAt } } }
  const asked = await client.patch(ref, 'merge', body, { fieldManager: FIELD_MANAGER })
  io.err(`◎ waiting for ${what}`)
  const done = await waitUntil(client, ref, asked, timeoutMs, (object) => isHandled(object, requestedAt), io)
  const ready = conditionOf(done, 'Ready')
  if (ready?.status !== 'True') {
    io.err(`✗ ${(ready?.message ?? 'no Ready condition').trim()}`)
    return 1
  }
  io.out(`✔ ${ready.message.trim()}`)
  return 0
}

/** Reads an object. @throws SluiceError OBJECT_MISSING when there is none */
export async function mustGet(client: KubeClient, ref: ObjectRef): Promise<KubeObject> {
  const object = await client.get(ref)
  if (object !== undefined) return object
  throw missing(ref)
}

/** What is said of an object that is not there. */
export function missing({ kind, name, namespace }: ObjectRef): SluiceError {
  return new SluiceError('OBJECT_MISSING', `${kind} "${name}" not found in ${namespace} namespace`, {
    hint: `sluice get ${kind.toLowerCase()} -A lists what there is`,
  })
}

function sourceOf(object: KubeObject): ObjectRef {
  const source = read(object, 'spec', 'sourceRef')
  const kind = String(read(source, 'kind') ?? 'GitRepository')
  const namespace = String(read(source, 'namespace') ?? object.metadata.namespace ?? '')
  return { apiVersion: 'source.toolkit.fluxcd.io/v1', kind, namespace, name: String(read(source, 'name') ?? '') }
}

function isHandled(object: KubeObject, requestedAt: string): boolean {
  if (read(object, 'status', 'lastHandledReconcileAt') !== requestedAt) return false
  const ready = conditionOf(object, 'Ready')
  return ready !== undefined && ready.status !== 'Unknown'
}

async function waitUntil(
  client: KubeClient,
  ref: ObjectRef,
  from: KubeObject,
  timeoutMs: number,
  isDone: (object: KubeObject) => boolean,
  io: Io,
): Promise<KubeObject> {
  const stop = AbortSignal.any([io.signal, abortAfter(timeoutMs)])
  const found = new AbortController()
  let last = from
  let isGone = false
  const selection = {
    apiVersion: ref.apiVersion,
    kind: ref.kind,
    namespace: ref.namespace,
    fieldSelector: `metadata.name=${ref.name}`,
  }
  while (!stop.aborted && !isGone && !isDone(last)) {
    await client.watch(
      selection,
      last.metadata.resourceVersion ?? '',
      ({ type, object }) => {
        if (type === 'BOOKMARK') return
        last = object
        isGone = type === 'DELETED'
        if (isGone || isDone(object)) found.abort()
      },
      AbortSignal.any([stop, found.signal]),
    )
  }
  if (isGone) throw missing(ref)
  if (isDone(last)) return last
  throw new SluiceError(
    'WAIT_TIMEOUT',
    `${ref.kind} ${ref.name} was not reconciled ${io.signal.aborted ? 'when the wait was ended' : `within ${timeoutMs / 1000} seconds`}`,
    {
      retry: 'backoff',
      where: `${ref.namespace}/${ref.name}: ${(conditionOf(last, 'Ready')?.message ?? 'no Ready condition').trim()}`,
      hint: `sluice events --for ${ref.kind}/${ref.name} -n ${ref.namespace}`,
    },
  )
}
