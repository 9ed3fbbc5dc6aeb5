import { parseArgs } from 'node:util'
import type { HttpKubeClient } from '../../../adapters/kube/client.ts'
import { describeError, SluiceError } from '../../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { createLineCutter } from '../../../lib/frames/line-cutter.ts'
import { readList, readText } from '../../../lib/kube/read.ts'
import { CLUSTER_OPTIONS, CLUSTER_USAGE, stateDirOf, withCluster } from '../cluster.ts'
import { type Command, type ExitCode, type Io, usageError } from '../command.ts'
import { refuseMore } from '../misread.ts'

type LogOptions = {
  readonly follow: boolean
  readonly tail?: string | undefined
  readonly previous: boolean
  readonly container?: string | undefined
}

export const logs: Command = {
  name: 'logs',
  summary: 'Print the logs of a service (all its pods), of one pod, or of a workflow run',
  usage: `sluice logs <service | pod/NAME> [-f] [--tail LINES] [-p] [-c CONTAINER] ${CLUSTER_USAGE}
       sluice logs run/ID[/JOB] [-f] [--tail LINES] [--state DIR]      of a workflow run, as sluice run list shows it; also when nothing runs`,
  async run(argv, io) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...CLUSTER_OPTIONS,
        follow: { type: 'boolean', short: 'f', default: false },
        tail: { type: 'string' },
        previous: { type: 'boolean', short: 'p', default: false },
        container: { type: 'string', short: 'c' },
      },
    })
    refuseMore(positionals, 1)
    const target = positionals[0]
    if (target === undefined) return usageError(io, logs, 'whose logs?')
    const tail = values.tail === undefined ? undefined : parseTail(values.tail)
    if (target.startsWith('run/')) {
      const { printRunLog } = await import('../deliveries/run-log.ts')
      return printRunLog(target, stateDirOf(values, io), { follow: values.follow, tail }, io)
    }
    return withCluster(values, io, async (client) => {
      const pods = await podsOf(client, target, values.namespace ?? 'default')
      return await printLogs(client, pods, values, io)
    })
  },
}

function parseTail(text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  throw new SluiceError('USAGE', `--tail is a number of lines, not "${text}"`)
}

async function podsOf(client: HttpKubeClient, target: string, namespace: string): Promise<readonly KubeObject[]> {
  const [kind, name] = target.includes('/') ? target.split('/', 2) : [undefined, target]
  const { items } = await client.list({ apiVersion: 'v1', kind: 'Pod', namespace })
  const found = items.filter((pod) => (kind === 'pod' ? pod.metadata.name === name : isPodOf(pod, name ?? '')))
  if (found.length > 0) return found
  throw new SluiceError('OBJECT_MISSING', `no pod of "${target}" in ${namespace} namespace`, {
    hint: `sluice get pods -n ${namespace} lists what there is`,
  })
}

/** Whether a pod is of this name, or of the workload of this name: a Deployment's are a ReplicaSet's, which ends in a hash. */
export function isPodOf({ metadata }: KubeObject, service: string): boolean {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true)
  const workload = owner?.kind === 'ReplicaSet' ? owner.name.replace(/-[^-]+$/, '') : owner?.name
  return metadata.name === service || workload === service
}

/** @throws what the server says when no container has a log to give */
export async function printLogs(
  client: Pick<HttpKubeClient, 'stream'>,
  pods: readonly KubeObject[],
  options: LogOptions,
  io: Pick<Io, 'out' | 'err' | 'signal'>,
): Promise<ExitCode> {
  const isOne = pods.length === 1
  let isSilent = true
  const print = (line: string): void => {
    isSilent = false
    io.out(line)
  }
  const places = pods.flatMap((pod) =>
    containersOf(pod, options.container).map((container) => ({ pod, path: pathOf(pod, container, options) })),
  )
  if (places.length === 0)
    throw new SluiceError('OBJECT_MISSING', `no container "${options.container}" in ${namesOf(pods)}`, {
      hint: `there are ${[...new Set(pods.flatMap(allContainersOf))].join(', ')}`,
    })
  const follow = async ({ pod, path }: (typeof places)[number]): Promise<void> => {
    const decoder = new TextDecoder()
    const prefix = isOne ? '' : `${pod.metadata.name} `
    const lines = createLineCutter((line) => print(prefix + line))
    await client.stream(path, (chunk) => lines.write(decoder.decode(chunk, { stream: true })), io.signal)
    lines.end()
  }
  const faults: unknown[] = []
  const tell = (fault: unknown): void => {
    faults.push(fault)
    // a container that has no log yet does not hide those of the others
    if (faults.length < places.length) io.err(describeError(fault))
  }
  await Promise.all(places.map((place) => follow(place).catch(tell)))
  if (faults.length === places.length) throw faults.at(-1)
  if (isSilent) io.err('nothing was printed yet')
  return faults.length === 0 ? 0 : 3
}

/** The containers whose logs are printed: all but those that prepare and debug, or the one that is asked for. */
export function containersOf(pod: KubeObject, wanted: string | undefined): readonly string[] {
  return wanted === undefined ? containersIn(pod, 'containers') : allContainersOf(pod).filter((name) => name === wanted)
}

function allContainersOf(pod: KubeObject): readonly string[] {
  return ['initContainers', 'containers', 'ephemeralContainers'].flatMap((field) => containersIn(pod, field))
}

function containersIn(pod: KubeObject, field: string): readonly string[] {
  return readList(pod, 'spec', field).map((container) => readText(container, 'name'))
}

function namesOf(pods: readonly KubeObject[]): string {
  return pods.map(({ metadata }) => `pod ${metadata.name}`).join(', ')
}

function pathOf(pod: KubeObject, container: string, options: LogOptions): string {
  const query = new URLSearchParams({ container })
  if (options.follow) query.set('follow', 'true')
  if (options.previous) query.set('previous', 'true')
  if (options.tail !== undefined) query.set('tailLines', options.tail)
  return `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/log?${query}`
}
