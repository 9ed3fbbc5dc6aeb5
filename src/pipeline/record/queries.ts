import type { Border, Delivery, StatusCell } from './delivery.ts'
import { compare, type FactOf, serviceOf, splitImage } from './fact-index.ts'
import type { WorkloadImages } from './fact.ts'
import type { DeliveryRecord } from './fold.ts'

/** Which deliveries to show. */
export type HistoryFilter = { readonly service?: string; readonly environment?: string; readonly limit?: number }

/** The deliveries, newest first. */
export function history(
  record: DeliveryRecord,
  { service, environment, limit = 50 }: HistoryFilter = {},
): readonly Delivery[] {
  return record.deliveries
    .filter((one) => service === undefined || one.service === service)
    .filter((one) => environment === undefined || one.environment === environment)
    .slice(0, Math.max(0, limit))
}

/** The deliveries of a commit (7 digits or more), an image (`name:tag`, a tag, a digest) or a pod. */
export function trace(record: DeliveryRecord, what: string): readonly Delivery[] {
  const pod = record.facts.pod.findLast((fact) => fact.pod === what || `${fact.namespace}/${fact.pod}` === what)
  const digest = pod?.digest ?? (what.includes('@') ? what.slice(what.indexOf('@') + 1) : what)
  const { name, tag } = splitImage(what)
  return record.deliveries.filter(
    (one) =>
      (/^[0-9a-f]{7,}$/.test(what) && (one.commit.startsWith(what) || one.configCommit.startsWith(what))) ||
      (one.digest !== '' && (one.digest === digest || one.digest === `sha256:${digest}`)) ||
      (tag !== '' && one.version === tag && (one.image === name || one.image.endsWith(`/${name}`))) ||
      (one.version !== '' && one.version === what),
  )
}

/**
 * Every service in every environment as it is now: what the newest build of its Kustomization asks for, and how it fares.
 *
 * Healthy means healthy at that revision; pods on another digest make it `running`.
 */
export function statusTable(record: DeliveryRecord): readonly StatusCell[] {
  const cells = new Map<string, StatusCell>()
  for (const kustomization of [...new Set(record.facts.build.map((fact) => fact.kustomization))].sort(compare)) {
    const build = record.facts.build.findLast((fact) => fact.kustomization === kustomization && fact.ok)
    for (const workload of build?.workloads ?? []) {
      const cell = build && cellOf(record, build, workload)
      if (cell) cells.set(`${cell.service}\n${cell.environment}`, cell)
    }
  }
  for (const one of [...record.deliveries].reverse()) {
    const key = `${one.service}\n${one.environment}`
    if (one.state !== 'done' && !cells.has(key) && one.image !== '') cells.set(key, { ...pick(one), namespace: '' })
  }
  return [...cells.values()].sort((a, b) => compare(a.service, b.service) || compare(a.environment, b.environment))
}

function pick({
  service,
  environment,
  version,
  commit,
  state,
  cause,
  borders,
}: Delivery): Omit<StatusCell, 'namespace'> {
  return { service, environment, version, commit, state, cause, borders }
}

function cellOf(
  record: DeliveryRecord,
  build: FactOf<'build'>,
  { namespace, name, images }: WorkloadImages,
): StatusCell {
  const image = ownImage(record, images)
  const ours = record.deliveries.filter((one) => one.service === name && isIn(one, build.kustomization))
  const isWanted = (one: Delivery): boolean =>
    image !== undefined && one.version !== '' && (one.version === image.tag || one.digest === image.digest)
  const delivery = ours.find(isWanted) ?? ours[0]
  const apply = record.facts.apply.findLast(
    (fact) => fact.kustomization === build.kustomization && fact.revision === build.revision,
  )
  const health = record.facts.health.findLast(
    (fact) => fact.kustomization === build.kustomization && fact.revision === build.revision,
  )
  const failed = !apply?.ok ? apply : health?.state === 'unhealthy' ? health : undefined
  return {
    service: name,
    environment: ours[0]?.environment ?? serviceOf(build.kustomization),
    namespace,
    version: image?.tag || image?.digest || '',
    commit: delivery?.commit ?? '',
    state: failed
      ? 'failed'
      : health?.state === 'healthy' && runsIt(record, namespace, name, delivery)
        ? 'done'
        : 'running',
    cause: failed?.cause,
    borders: delivery?.borders ?? noBorders,
  }
}

const noBorders: readonly Border[] = []

function isIn({ environment }: Delivery, kustomization: string): boolean {
  return environment === kustomization || environment === serviceOf(kustomization)
}

/** The container image that deliveries are known of; sidecars come from elsewhere. */
function ownImage(record: DeliveryRecord, texts: readonly string[]) {
  const images = texts.map(splitImage)
  return images.find((one) => record.facts.image.some((fact) => fact.image === one.name)) ?? images[0]
}

/** False when the newest pod that was seen of a workload runs another digest than the delivery's. */
function runsIt(record: DeliveryRecord, namespace: string, name: string, delivery: Delivery | undefined): boolean {
  const pods = record.facts.pod.filter((fact) => fact.namespace === namespace && serviceOf(fact.workload) === name)
  if (!delivery || delivery.digest === '' || pods.length === 0) return true
  return pods.some((fact) => fact.ready && fact.digest === delivery.digest)
}
