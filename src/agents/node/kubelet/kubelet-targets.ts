import type { WatchCache } from '../../../adapters/kube/types.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { Driver } from '../driver.ts'
import type { LogSource } from './kubelet-server.ts'
import { containersOf, uidOf } from '../pod/shapes.ts'
import type { PodWorker } from '../pod/worker.ts'
import type { StreamTargets } from '../streams/serve.ts'
import type { NamedPod } from '../usage/summary.ts'

/** What of the node is looked at. */
export type Pods = {
  readonly driver: Driver | undefined
  readonly workers: ReadonlyMap<string, PodWorker>
  readonly caches: { readonly pods: WatchCache }
}

/** What the kubelet API shows. */
export type KubeletTargets = {
  /** The log of a container; a text when there is none. */
  readonly find: (namespace: string, pod: string, container: string, previous: boolean) => LogSource | string
  readonly targets: StreamTargets
  readonly pods: () => readonly NamedPod[]
}

/** Finds what requests to the kubelet API name, as it is at that moment. */
export function kubeletTargets(node: Pods): KubeletTargets {
  const workerOf = (namespace: string, pod: string): PodWorker | undefined =>
    node.workers.get(node.caches.pods.get(namespace, pod)?.metadata.uid ?? '')
  return {
    pods: () =>
      [...node.workers].map(([uid, worker]) => {
        const { namespace = '', name } = worker.pod().metadata
        return { uid, namespace, name }
      }),
    find(namespace, pod, container, previous) {
      const worker = workerOf(namespace, pod)
      const attempt = worker?.latestAttempt(container)
      if (worker === undefined || attempt === undefined || node.driver === undefined)
        return `container "${container}" in pod "${pod}" is waiting to start`
      const wanted = previous ? attempt - 1 : attempt
      if (wanted < 0) return `previous terminated container "${container}" in pod "${pod}" not found`
      const path = node.driver.logPath({ uid: uidOf(worker.pod()), container, attempt: wanted })
      const isAlive = (): boolean =>
        !previous && worker.isAlive(container) && worker.latestAttempt(container) === attempt
      return { path, isAlive }
    },
    targets: {
      driver() {
        if (node.driver === undefined)
          throw new SluiceError('NODE_DRIVER', 'the node has no driver', { retry: 'backoff' })
        return node.driver
      },
      container(namespace, pod, name) {
        const worker = workerOf(namespace, pod)
        const attempt = worker?.latestAttempt(name)
        if (worker === undefined || attempt === undefined || !worker.isAlive(name))
          return `container not found (${JSON.stringify(name)})`
        const tty = containersOf(worker.pod().spec).find((each) => each.name === name)?.tty === true
        return { id: { uid: uidOf(worker.pod()), container: name, attempt }, tty }
      },
      pod(namespace, name) {
        const worker = workerOf(namespace, name)
        return worker === undefined ? 'pod does not exist' : { uid: uidOf(worker.pod()) }
      },
    },
  }
}
