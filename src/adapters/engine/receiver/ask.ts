import type { Receiver, ReceiverResource } from '../../../kinds/receiver.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { labelKeyErrors, labelValueErrors } from '../../../lib/kube/names.ts'
import { type KubeObject, refOf } from '../../../lib/kube/object.ts'
import type { ResourceFilter } from '../../../pipeline/receiver/resource-filter.ts'
import { ApiError } from '../../kube/api-error.ts'
import type { KubeClient } from '../../kube/types.ts'
import type { Clock } from '../../clock.ts'
import { NOTIFICATION_MANAGER } from './controller.ts'
import { own } from '../../../lib/value/own.ts'

/** What asking objects to reconcile needs. */
export type AskTools = {
  readonly client: KubeClient
  readonly clock: Clock
  readonly traps: 'safe' | 'flux'
  /** False: a Receiver reaches only objects of its own namespace. */
  readonly crossNamespace: boolean
  /** When the process started; Flux's times say how long ago that was. */
  readonly startedMs: number
}

const SOURCE = 'source.toolkit.fluxcd.io/v1'
const DEFAULT_VERSIONS: Readonly<Record<string, string>> = {
  Bucket: SOURCE,
  HelmChart: SOURCE,
  HelmRepository: SOURCE,
  GitRepository: SOURCE,
  OCIRepository: SOURCE,
  ImageRepository: 'image.toolkit.fluxcd.io/v1',
  ArtifactGenerator: 'source.extensions.fluxcd.io/v1beta1',
}

/** Asks every resource of a Receiver to reconcile, one after the other; a failure does not stop the next. Answers the failures. */
export async function askAll(
  tools: AskTools,
  receiver: Receiver,
  wishes: readonly (readonly [ReceiverResource, ResourceFilter | undefined])[],
): Promise<readonly string[]> {
  const faults: string[] = []
  for (const [resource, filter] of wishes)
    try {
      await askResource(tools, receiver, resource, filter)
    } catch (error) {
      if (!(error instanceof SluiceError || error instanceof ApiError)) throw error
      faults.push(`${resource.kind}/${resource.namespace}/${resource.name}: ${error.message}`)
    }
  return faults
}

async function askResource(
  tools: AskTools,
  receiver: Receiver,
  resource: ReceiverResource,
  filter: ResourceFilter | undefined,
): Promise<void> {
  const { kind, name, namespace, matchLabels } = resource
  if (namespace !== receiver.namespace && !tools.crossNamespace)
    throw fault('cross-namespace references are not allowed')
  const apiVersion = resource.apiVersion ?? own(DEFAULT_VERSIONS, kind)
  if (apiVersion === undefined) throw fault(`apiVersion must be specified for kind "${kind}"`)
  if (name !== '*') {
    const object = await tools.client.get({ apiVersion, kind, namespace, name })
    if (!object) throw fault(`unable to read ${kind} "${namespace}/${name}": not found`)
    return ask(tools, { ...object, apiVersion, kind }, filter)
  }
  if (!matchLabels) throw fault("matchLabels field not set when using wildcard '*' as name")
  const isPossible = ([key, value]: [string, string]): boolean =>
    labelKeyErrors(key).length + labelValueErrors(value).length === 0
  // No object has a label that there cannot be.
  if (!Object.entries(matchLabels).every(isPossible)) return
  const labelSelector = Object.entries(matchLabels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
  const { items } = await tools.client.list({ apiVersion, kind, namespace, labelSelector, metadataOnly: true })
  for (const object of items) await ask(tools, { ...object, apiVersion, kind }, filter)
}

async function ask(tools: AskTools, object: KubeObject, filter: ResourceFilter | undefined): Promise<void> {
  if (filter && !filter(object)) return
  const metadata = { annotations: { 'reconcile.fluxcd.io/requestedAt': timeText(tools) } }
  await tools.client.patch(refOf(object), 'merge', { metadata }, { fieldManager: NOTIFICATION_MANAGER })
}

/** The time of a request. Flux writes Go's own text, with the monotonic clock. */
function timeText({ clock, traps, startedMs }: AskTools): string {
  const iso = new Date(clock.nowMs()).toISOString()
  if (traps === 'safe') return iso
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}000000 +0000 UTC m=+${((clock.monotonicMs() - startedMs) / 1000).toFixed(9)}`
}

function fault(message: string): SluiceError {
  return new SluiceError('RECEIVER_RESOURCE', message)
}
