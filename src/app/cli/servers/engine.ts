import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '../../../adapters/clock.ts'
import type { EngineFlags } from '../../../adapters/engine/flags.ts'
import type { Engine, EngineOptions } from '../../../adapters/engine/start.ts'
import type { Reach } from '../../../adapters/net/reach.ts'
import { parseDurationMs } from '../../../kinds/duration.ts'
import { parseStageKinds } from '../../../pipeline/apply/order.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { createEngineMetrics, openObjects, serveMetrics } from '../../engine-metrics.ts'
import { removeAbandonedScratch } from '../../../machine/scratch.ts'
import { boundHeap } from '../../process/bound-heap.ts'
import { inlineLess } from '../../process/inline-less.ts'
import { type Election, runElected } from '../../elected-engine.ts'
import { holdStateFolder } from '../../state/hold-state-folder.ts'
import { STATE_OPTION, stateDirOf } from '../cluster.ts'
import { usageError, type Command } from '../command.ts'
import { FLUX_OPTIONS, FLUX_USAGE, listenFlagFault, parseFluxFlags } from './engine-flags.ts'

const OPTIONS = {
  kubeconfig: { type: 'string' },
  ...STATE_OPTION,
  'artifact-listen': { type: 'string', default: '127.0.0.1:9090' },
  'receiver-listen': { type: 'string', default: '127.0.0.1:9292' },
  'events-listen': { type: 'string', default: '' },
  'metrics-listen': { type: 'string', default: '' },
  traps: { type: 'string', default: 'safe' },
  'install-crds': { type: 'string', default: 'true' },
  'enable-leader-election': { type: 'string', default: 'true' },
  'leader-election-lease-duration': { type: 'string', default: '35s' },
  'leader-election-renew-deadline': { type: 'string', default: '30s' },
  'leader-election-retry-period': { type: 'string', default: '5s' },
  'hook-reach': { type: 'string', default: 'any' },
  'no-cross-namespace-refs': { type: 'boolean', default: false },
  'custom-apply-stage-kinds': { type: 'string', default: '' },
  ...FLUX_OPTIONS,
  'registry-alias': { type: 'string', multiple: true },
  verbose: { type: 'boolean', short: 'v', default: false },
} as const

export const engine: Command = {
  name: 'engine',
  summary: "Do what Flux's controllers do, on any Kubernetes",
  usage: `sluice engine --kubeconfig FILE [--state DIR] [--artifact-listen H:P] [--receiver-listen H:P] [--events-listen H:P] [--metrics-listen H:P] [--traps safe|flux] [--install-crds=false] [--hook-reach any|private|public] ${FLUX_USAGE} [--custom-apply-stage-kinds GROUP/KIND,…] [--enable-leader-election=false | --leader-election-lease-duration 35s --leader-election-renew-deadline 30s --leader-election-retry-period 5s] [--registry-alias NAME=HOST:PORT]… [--verbose]`,
  async run(argv, io) {
    const { values } = parseArgs({ args: [...argv], options: OPTIONS })
    const kubeconfig = values.kubeconfig ?? io.env['KUBECONFIG']
    if (kubeconfig === undefined) return usageError(io, this, 'which cluster? say --kubeconfig')
    const settings = listenFlagFault(values) ?? parseSettings(values)
    if (typeof settings === 'string') return usageError(io, this, settings)
    const folder = holdStateFolder(stateDirOf(values, io), 'engine')
    const listen = {
      artifactListen: values['artifact-listen'],
      receiverListen: values['receiver-listen'],
      eventsListen: values['events-listen'],
    }
    const { lead, ...options } = settings
    const { signal, env } = io
    const namespace = env['RUNTIME_NAMESPACE']
    const electorate = { lead, path: resolve(io.cwd, kubeconfig), folder, signal, namespace }
    const log = values.verbose ? io.err : (line: string) => io.err(line.split('\n')[0] ?? '')
    removeAbandonedScratch()
    inlineLess()
    const stopBounding = boundHeap()
    const metrics = await openMetrics(values['metrics-listen'])
    try {
      await runElected(
        { ...options, ...listen, ...metrics.hooks, clock: systemClock, stateDir: folder.dir, log },
        electorate,
        (server, addresses) =>
          io.out(JSON.stringify({ server, ...addresses, metrics: metrics.address, traps: options.traps })),
        metrics.onEngine,
      )
    } finally {
      await metrics.close()
      stopBounding()
      folder.release()
    }
    return 0
  },
}

/** Metrics where they are asked for; while another engine leads they tell of the process alone. */
async function openMetrics(listen: string) {
  const startedAtMs = systemClock.nowMs() - process.uptime() * 1000
  const metrics = createEngineMetrics(startedAtMs, () => process.memoryUsage.rss())
  let objects = (): readonly KubeObject[] => []
  const served = listen === '' ? undefined : await serveMetrics(listen, () => metrics.render(objects()))
  return {
    /** Where they are served, with the real port. */
    address: served?.address,
    hooks: served && { onReconciled: metrics.onReconciled },
    onEngine: ({ caches }: Engine) => {
      if (served) objects = openObjects(caches)
    },
    close: async () => served?.close(),
  }
}

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values']

type Settings = Pick<
  EngineOptions,
  'traps' | 'installCrds' | 'hookReach' | 'registryAliases' | 'crossNamespace' | 'stageKinds'
> & {
  readonly flags: EngineFlags
  readonly lead: Election
}

/** The flags as values; a text says what is wrong with one. */
function parseSettings(values: Values): Settings | string {
  const traps = values.traps === 'safe' || values.traps === 'flux' ? values.traps : undefined
  if (traps === undefined) return '--traps is safe or flux'
  if (!/^(true|false)$/.test(values['install-crds'])) return '--install-crds is true or false'
  const hookReach = parseReach(values['hook-reach'])
  if (hookReach === undefined) return '--hook-reach is any, private or public'
  const registryAliases = parseAliases(values['registry-alias'] ?? [])
  if (registryAliases === undefined) return '--registry-alias wants NAME=HOST:PORT'
  const lead = parseElection(values)
  if (lead === undefined) return 'leader election wants true or false, and durations with retry < renew < lease'
  const crossNamespace = !values['no-cross-namespace-refs']
  const stageKinds = parseStageKinds(values['custom-apply-stage-kinds'])
  if (stageKinds === undefined) return '--custom-apply-stage-kinds wants a list of group/Kind'
  const flags = parseFluxFlags(values)
  if (typeof flags === 'string') return flags
  const installCrds = values['install-crds'] === 'true'
  return { traps, installCrds, hookReach, registryAliases, crossNamespace, stageKinds, flags, lead }
}

function parseElection(values: Values): Election | undefined {
  const of = (name: `leader-election-${'lease-duration' | 'renew-deadline' | 'retry-period'}`): number =>
    parseDurationMs(values[name]) ?? Number.NaN
  const [leaseMs, renewMs, retryMs] = [
    of('leader-election-lease-duration'),
    of('leader-election-renew-deadline'),
    of('leader-election-retry-period'),
  ]
  const word = values['enable-leader-election']
  if (word !== 'true' && word !== 'false') return undefined
  return retryMs > 0 && retryMs < renewMs && renewMs < leaseMs
    ? { isOn: word === 'true', leaseMs, renewMs, retryMs }
    : undefined
}

function parseReach(word: string): Reach['scope'] | undefined {
  return word === 'any' || word === 'private' || word === 'public' ? word : undefined
}

function parseAliases(words: readonly string[]): Readonly<Record<string, string>> | undefined {
  const pairs = words.map((word) => /^([^=]+)=([^=]+)$/.exec(word))
  if (pairs.includes(null)) return undefined
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']))
}
