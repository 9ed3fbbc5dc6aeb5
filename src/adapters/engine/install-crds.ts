import { definitionOf, FLUX_KINDS } from '../../kinds/crds/definition.ts'
import { HELM_KINDS } from '../../kinds/crds/helm.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { type KubeObject, refOf } from '../../lib/kube/object.ts'
import { conditionOf } from '../../lib/kube/read.ts'
import type { Clock } from '../../engine/clock.ts'
import type { KubeClient } from '../kube/types.ts'

const WAIT_MS = 60_000
const POLL_MS = 100

/** Installs or updates the Flux kinds in all their versions, by server-side apply, and waits until the API server serves them. */
export async function installCrds(client: KubeClient, clock: Clock): Promise<void> {
  const definitions = [...FLUX_KINDS.map(definitionOf), ...(await absentHelmKinds(client))]
  await Promise.all(
    definitions.map(({ apiVersion, kind, metadata: { name }, ...rest }) =>
      client.patch(
        { apiVersion, kind, namespace: '', name },
        'apply',
        { apiVersion, kind, metadata: { name }, ...rest },
        { fieldManager: 'sluice', force: true },
      ),
    ),
  )
  const deadlineMs = clock.monotonicMs() + WAIT_MS
  for (const { apiVersion, kind, metadata } of definitions)
    while (!isEstablished(await client.get({ apiVersion, kind, namespace: '', name: metadata.name }))) {
      if (clock.monotonicMs() > deadlineMs)
        throw new SluiceError('KUBE_UNREACHABLE', `the API server does not serve ${metadata.name} after 60 s`, {
          retry: 'backoff',
          hint: `kubectl get crd ${metadata.name} -o yaml says why`,
        })
      // Keeps the process alive, unlike the clock's timers: nothing else does while the engine starts.
      await new Promise<void>((resolve) => void setTimeout(resolve, POLL_MS))
    }
}

async function absentHelmKinds(client: KubeClient): Promise<readonly KubeObject[]> {
  const found = await Promise.all(
    HELM_KINDS.map(definitionOf).map(async (definition) => ({
      definition,
      there: await client.get(refOf(definition)),
    })),
  )
  return found.flatMap(({ definition, there }) => (there ? [] : [definition]))
}

function isEstablished(object: unknown): boolean {
  return conditionOf(object, 'Established')?.status === 'True'
}
