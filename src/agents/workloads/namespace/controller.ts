import type { AbsorbingCache } from '../../../adapters/kube/types.ts'
import type { Controller } from '../../../engine/controller.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { wakeFor } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import { isFinishedPod } from '../pods.ts'
import { as, type Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { deleteContent } from './content.ts'
import { decideNamespace, isEnding, type Namespace, type NamespaceSeen } from './decide.ts'

/** The namespace controllers: the default ServiceAccount, the root certificates, and the end of a namespace. */
export function namespaceController(bench: Bench): Controller<NamespaceSeen, Write, readonly Write[]> {
  const namespaces = bench.cache('v1', 'Namespace')
  const pods = bench.cache('v1', 'Pod')
  const accounts = bench.cacheOf({ apiVersion: 'v1', kind: 'ServiceAccount', fieldSelector: 'metadata.name=default' })
  const rootCas = bench.cacheOf({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    fieldSelector: 'metadata.name=kube-root-ca.crt',
  })

  return workloadController<NamespaceSeen>(bench, {
    kind: 'Namespace',
    component: 'namespace-controller',
    // as in the original: one that ends asks for every kind, and many may end at once
    concurrency: 10,
    async watch(wake) {
      await Promise.all([namespaces.ready, pods.ready, accounts.ready, rootCas.ready])
      const onPart = (part: KubeObject, type: string): void => {
        if (type !== 'ADDED') wake.now(part.metadata.namespace ?? '')
      }
      // a namespace that ends waits for its pods
      pods.onChange((pod, type) => {
        const namespace = namespaces.get('', pod.metadata.namespace ?? '')
        if (type === 'DELETED' && namespace?.metadata.deletionTimestamp !== undefined) wake.now(namespace.metadata.name)
      })
      accounts.onChange(onPart)
      rootCas.onChange(onPart)
      wakeFor(namespaces, wake.now)
    },
    observe: (name) => observeNamespace(bench, { namespaces, accounts, rootCas }, name),
    decide: decideNamespace,
  })
}

async function observeNamespace(
  bench: Bench,
  caches: { readonly namespaces: AbsorbingCache; readonly accounts: AbsorbingCache; readonly rootCas: AbsorbingCache },
  name: string,
): Promise<NamespaceSeen | undefined> {
  const namespace = caches.namespaces.get('', name)
  if (!namespace) return undefined
  const seen: NamespaceSeen = {
    namespace: as<Namespace>(namespace),
    hasServiceAccount: caches.accounts.get(name, 'default') !== undefined,
    rootCa: caches.rootCas.get(name, 'kube-root-ca.crt'),
    caPem: bench.client.caPem,
    graceSeconds: 0,
    nowMs: bench.clock.nowMs(),
  }
  if (!isEnding(seen.namespace)) return seen
  const graceSeconds = longestGrace(
    bench
      .cache('v1', 'Pod')
      .list(name)
      .map((pod) => as<Pod>(pod)),
  )
  return { ...seen, leftovers: await deleteContent(bench.client, name), graceSeconds }
}

function longestGrace(pods: readonly Pod[]): number {
  const running = pods.filter((pod) => !isFinishedPod(pod))
  return Math.max(0, ...running.map(({ spec }) => spec.terminationGracePeriodSeconds ?? 0))
}
