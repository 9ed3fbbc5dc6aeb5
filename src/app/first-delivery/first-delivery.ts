import type { SharedCaches } from '../../adapters/kube/shared-caches.ts'
import { describeRun } from './describe-run.ts'
import { type Held, notYetSeen } from './freshness.ts'
import { isActive, type RunRecord } from '../../agents/runner/records.ts'
import type { RunsSeen } from '../../agents/runner/records.ts'
import { judge, type Scene, type Verdict } from './settled.ts'

/** Watches the cluster and the runs, and tells how the delivery stands after every change. */
export type DeliveryWatch = { readonly verdict: () => Verdict; readonly subscribe: (changed: () => void) => () => void }

const SOURCES = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository' }
const KUSTOMIZATIONS = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' }
const IMAGES = { apiVersion: 'image.toolkit.fluxcd.io/v1', kind: 'ImageRepository' }
const POLICIES = { apiVersion: 'image.toolkit.fluxcd.io/v1', kind: 'ImagePolicy' }
const AUTOMATIONS = { apiVersion: 'image.toolkit.fluxcd.io/v1', kind: 'ImageUpdateAutomation' }
const DEPLOYMENTS = { apiVersion: 'apps/v1', kind: 'Deployment' }

/** Opens the watches; ready when all kinds are listed. */
export async function watchDelivery(caches: SharedCaches, runs: () => RunsSeen, held: Held): Promise<DeliveryWatch> {
  const sources = caches.open(SOURCES)
  const kustomizations = caches.open(KUSTOMIZATIONS)
  const images = caches.open(IMAGES)
  const policies = caches.open(POLICIES)
  const automations = caches.open(AUTOMATIONS)
  const deployments = caches.open(DEPLOYMENTS)
  const all = [sources, images, kustomizations, policies, automations, deployments]
  await Promise.all(all.map((cache) => cache.ready))
  const scene = (): Scene => ({
    activeRuns: activeRuns(runs()),
    failedRuns: runs().failed,
    notYetSeen: notYetSeen(held, sources.list(), images.list()),
    sources: sources.list(),
    kustomizations: kustomizations.list(),
    policies: policies.list(),
    automations: automations.list(),
    deployments: deployments.list(),
  })
  return {
    verdict: () => judge(scene()),
    subscribe(changed) {
      const stops = all.map((cache) => cache.onChange(changed))
      return () => stops.forEach((stop) => stop())
    },
  }
}

/** What a person needs to find out why a run does not end. Pushes whose workflows are still being read are no runs yet. */
function activeRuns({ active, list }: RunsSeen): readonly string[] {
  const begun = list.filter(isActive).map(describeActive)
  return begun.length === 0 && active > 0 ? ['the workflows of the last push to be read'] : begun
}

function describeActive(run: RunRecord): string {
  const since = new Date(run.queuedAtMs).toISOString().slice(11, 19)
  return `workflow run ${describeRun(run)}, ${run.state} since ${since} (sluice logs run/${run.id})`
}
