import type { Measured, Rated } from './sampler.ts'

/** A pod of this node. */
export type NamedPod = { readonly uid: string; readonly namespace: string; readonly name: string }

/** The answer of `/stats/summary`, with the span of each rate added. @see k8s.io/kubelet/pkg/apis/stats/v1alpha1 */
export function renderSummary(node: string, measured: Measured, pods: readonly NamedPod[]): object {
  const { machine, containers } = measured
  const time = timeOf(measured.atMs)
  return {
    node: { nodeName: node, ...(machine === undefined ? {} : statsOf(machine, time)) },
    pods: pods.map(({ uid, namespace, name }) => ({
      podRef: { name, namespace, uid },
      containers: containers
        .filter((each) => each.uid === uid)
        .map((each) => ({ name: each.container, startTime: timeOf(each.startedAtMs), ...statsOf(each, time) })),
    })),
  }
}

function statsOf({ cpuNanos, memoryBytes, rate }: Rated, time: string): object {
  const told = rate && { usageNanoCores: rate.nanoCores, windowMs: rate.windowMs }
  return {
    cpu: { time, usageCoreNanoSeconds: cpuNanos, ...told },
    memory: { time, workingSetBytes: memoryBytes },
  }
}

/** The answer of `/metrics/resource`, which metrics-server reads. @see https://kubernetes.io/docs/reference/instrumentation/node-metrics/ */
export function renderResourceMetrics(measured: Measured, pods: readonly NamedPod[]): string {
  const { machine, atMs } = measured
  const families: Family[] = [
    ['container_cpu_usage_seconds_total', 'counter', []],
    ['container_memory_working_set_bytes', 'gauge', []],
    ['container_start_time_seconds', 'gauge', []],
    ['pod_cpu_usage_seconds_total', 'counter', []],
    ['pod_memory_working_set_bytes', 'gauge', []],
  ]
  const put = (labels: string, values: readonly number[], from: number): void =>
    values.forEach((value, at) => families[from + at]?.[2].push(`{${labels}} ${value} ${atMs}`))
  for (const { uid, namespace, name } of pods) {
    const mine = measured.containers.filter((each) => each.uid === uid)
    const labels = `namespace="${namespace}",pod="${name}"`
    for (const { container, cpuNanos, memoryBytes, startedAtMs } of mine)
      put(`container="${container}",${labels}`, [cpuNanos / 1e9, memoryBytes, startedAtMs / 1000], 0)
    if (mine.length > 0) put(labels, [sum(mine, 'cpuNanos') / 1e9, sum(mine, 'memoryBytes')], 3)
  }
  if (machine !== undefined)
    families.push(
      ['node_cpu_usage_seconds_total', 'counter', [` ${machine.cpuNanos / 1e9} ${atMs}`]],
      ['node_memory_working_set_bytes', 'gauge', [` ${machine.memoryBytes} ${atMs}`]],
    )
  families.push(['resource_scrape_error', 'gauge', [' 0']])
  return families
    .map(([name, type, lines]) => [`# TYPE ${name} ${type}`, ...lines.map((line) => name + line), ''].join('\n'))
    .join('')
}

type Family = [name: string, type: 'counter' | 'gauge', lines: string[]]

const sum = (rates: readonly Rated[], field: 'cpuNanos' | 'memoryBytes'): number =>
  rates.reduce((total, each) => total + each[field], 0)

const timeOf = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
