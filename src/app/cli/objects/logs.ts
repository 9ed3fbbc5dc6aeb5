import { parseArgs } from 'node:util'
import type { HttpKubeClient } from '../../../adapters/kube/client.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { read } from '../../../lib/kube/read.ts'
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

// A Deployment's pod is called <deployment>-<template hash>-<suffix>.
function isPodOf(pod: KubeObject, service: string): boolean {
  return pod.metadata.name === service || pod.metadata.name.split('-').slice(0, -2).join('-') === service
}

async function printLogs(
  client: HttpKubeClient,
  pods: readonly KubeObject[],
  options: LogOptions,
  io: Io,
): Promise<ExitCode> {
  const isOne = pods.length === 1
  let isSilent = true
  const print = (line: string): void => {
    isSilent = false
    io.out(line)
  }
  const streams = pods.flatMap((pod) =>
    containersOf(pod, options.container).map((container) => {
      const prefix = isOne ? '' : `${pod.metadata.name} `
      return client.stream(pathOf(pod, container, options), byLine(prefix, print), io.signal)
    }),
  )
  await Promise.all(streams)
  if (isSilent) io.err('nothing was printed yet')
  return 0
}

function containersOf(pod: KubeObject, wanted: string | undefined): readonly string[] {
  const all = read(pod, 'spec', 'containers')
  const names = Array.isArray(all) ? all.map((container) => String(read(container, 'name'))) : []
  return wanted === undefined ? names : names.filter((name) => name === wanted)
}

function pathOf(pod: KubeObject, container: string, options: LogOptions): string {
  const query = new URLSearchParams({ container })
  if (options.follow) query.set('follow', 'true')
  if (options.previous) query.set('previous', 'true')
  if (options.tail !== undefined) query.set('tailLines', options.tail)
  return `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/log?${query}`
}

/** Cuts a stream of bytes into lines; what is left without a line end is printed when the next line completes it. */
function byLine(prefix: string, print: (line: string) => void): (chunk: Buffer) => void {
  const decoder = new TextDecoder()
  let rest = ''
  return (chunk) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) print(prefix + line)
  }
}
