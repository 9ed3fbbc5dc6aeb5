import type { SharedCaches } from '../../adapters/kube/shared-caches.ts'
import { UNHEALTHY } from '../../pipeline/health/probe-fault.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import type { Helpers } from '../../pipeline/record/wait.ts'

/** Live copies of everything that works for deliveries; the engine and the controllers hold the same ones. */
export type HelpersSeen = {
  readonly current: () => Helpers
  readonly subscribe: (changed: () => void) => () => void
}

/** Events tell what a failed probe met. */
export const FAILED_PROBES = { apiVersion: 'v1', kind: 'Event', fieldSelector: `reason=${UNHEALTHY}` }

/** Opens the watches; ready when all kinds are listed. */
export async function watchHelpers(caches: SharedCaches): Promise<HelpersSeen> {
  const pods = openKinds(caches, 'v1', ['Pod'])
  const deployments = openKinds(caches, 'apps/v1', ['Deployment'])
  const unhealthy = caches.open(FAILED_PROBES)
  const policies = openKinds(caches, 'image.toolkit.fluxcd.io/v1', ['ImagePolicy'])
  const imageRepositories = openKinds(caches, 'image.toolkit.fluxcd.io/v1', ['ImageRepository'])
  const automations = openKinds(caches, 'image.toolkit.fluxcd.io/v1', ['ImageUpdateAutomation'])
  const kustomizations = openKinds(caches, 'kustomize.toolkit.fluxcd.io/v1', ['Kustomization'])
  const sources = openKinds(caches, 'source.toolkit.fluxcd.io/v1', ['GitRepository', 'OCIRepository', 'Bucket'])
  const receivers = openKinds(caches, 'notification.toolkit.fluxcd.io/v1', ['Receiver'])
  const alerts = openKinds(caches, 'notification.toolkit.fluxcd.io/v1beta3', ['Alert', 'Provider'])
  const all = [
    pods,
    deployments,
    unhealthy,
    policies,
    imageRepositories,
    automations,
    kustomizations,
    sources,
    receivers,
    alerts,
  ]
  await Promise.all(all.map(({ ready }) => ready))
  return {
    current: () => ({
      pods: pods.list(),
      deployments: deployments.list(),
      unhealthy: unhealthy.list(),
      policies: policies.list(),
      imageRepositories: imageRepositories.list(),
      automations: automations.list(),
      kustomizations: kustomizations.list(),
      sources: sources.list(),
      others: [...receivers.list(), ...alerts.list()],
    }),
    subscribe(changed) {
      const stops = all.map(({ onChange }) => onChange(changed))
      return () => stops.forEach((stop) => stop())
    },
  }
}

type Opened = {
  readonly ready: Promise<unknown>
  readonly list: () => readonly KubeObject[]
  readonly onChange: (changed: () => void) => () => void
}

function openKinds(caches: SharedCaches, apiVersion: string, kinds: readonly string[]): Opened {
  const opened = kinds.map((kind) => caches.open({ apiVersion, kind }))
  return {
    ready: Promise.all(opened.map(({ ready }) => ready)),
    list: () => opened.flatMap((cache) => cache.list()),
    onChange(changed) {
      const stops = opened.map((cache) => cache.onChange(changed))
      return () => stops.forEach((stop) => stop())
    },
  }
}
