import { parseArgs } from 'node:util'
import { ApiError } from '../../../adapters/kube/api-error.ts'
import type { KubeClient } from '../../../adapters/kube/types.ts'
import type { KubeObject, ObjectRef } from '../../../lib/kube/object.ts'
import { CLUSTER_OPTIONS, CLUSTER_USAGE, withCluster } from '../cluster.ts'
import { type Command, type ExitCode, type Io, usageError } from '../command.ts'
import { defaultNamespace } from './get.ts'
import { findKind, splitKind } from './kind-names.ts'
import { missing, parseTimeout, waitForWritten } from './reconcile.ts'

export const suspend: Command = {
  name: 'suspend',
  summary: 'Stop reconciling an object until it is resumed',
  usage: `sluice suspend <kind> <name...> | --all ${CLUSTER_USAGE}`,
  async run(argv, io) {
    const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: OPTIONS })
    const { kind, rest } = splitKind(positionals)
    if (kind === '' || (rest.length === 0 && !values.all)) return usageError(io, this, 'which object?')
    return withCluster(values, io, async (client) => {
      for (const ref of await refsOf(client, kind, rest, values)) await setSuspended(client, ref, true, io)
      return 0
    })
  },
}

export const resume: Command = {
  name: 'resume',
  summary: 'Reconcile a suspended object again, and wait for the result',
  usage: `sluice resume <kind> <name...> | --all [--wait] [--timeout 5m] ${CLUSTER_USAGE}`,
  async run(argv, io) {
    const options = { ...OPTIONS, wait: { type: 'boolean' }, timeout: { type: 'string', default: '5m' } } as const
    const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options })
    const { kind, rest } = splitKind(positionals)
    if (kind === '' || (rest.length === 0 && !values.all)) return usageError(io, this, 'which object?')
    const timeoutMs = parseTimeout(values.timeout)
    return withCluster(values, io, async (client) => {
      const waiting: Promise<ExitCode>[] = []
      for (const ref of await refsOf(client, kind, rest, values)) {
        const resumed = await setSuspended(client, ref, false, io)
        if (STATELESS.includes(ref.kind)) continue
        const ended = waitForWritten(client, ref, resumed, timeoutMs, io)
        waiting.push(ended)
        // flux waits for all of them together unless it is told to take one after the other.
        if (values.wait) await ended
      }
      const codes = await Promise.all(waiting)
      return codes.find((code) => code !== 0) ?? 0
    })
  },
}

const OPTIONS = { ...CLUSTER_OPTIONS, all: { type: 'boolean' } } as const
/** They have no status that could tell of a reconcile. */
const STATELESS = ['Alert', 'Provider']

async function refsOf(
  client: KubeClient,
  kindName: string,
  names: readonly string[],
  values: { readonly namespace?: string | undefined; readonly all?: boolean | undefined },
): Promise<readonly ObjectRef[]> {
  const kind = await findKind(client, kindName)
  const namespace = values.namespace ?? defaultNamespace(kind)
  const all = values.all
    ? (await client.list({ ...kind, namespace })).items.map((object) => object.metadata.name)
    : names
  return all.map((name) => ({ ...kind, namespace, name }))
}

/** Suspends or resumes an object; asks for nothing but the right to patch it. */
export async function setSuspended(
  client: Pick<KubeClient, 'patch'>,
  ref: ObjectRef,
  isSuspended: boolean,
  io: Pick<Io, 'out'>,
): Promise<KubeObject> {
  const written = await client
    .patch(ref, 'merge', { spec: { suspend: isSuspended } }, { fieldManager: 'flux' })
    .catch((error: unknown) => {
      throw error instanceof ApiError && error.status === 404 ? missing(ref) : error
    })
  io.out(`✔ ${ref.kind} ${ref.name} in ${ref.namespace} namespace ${isSuspended ? 'suspended' : 'resumed'}`)
  return written
}
