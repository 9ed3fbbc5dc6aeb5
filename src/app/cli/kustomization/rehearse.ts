import { APPLY_MANAGER } from '../../../adapters/engine/kustomization/apply/tools.ts'
import { ApiError } from '../../../adapters/kube/api-error.ts'
import type { KubeClient } from '../../../adapters/kube/types.ts'
import type { InventoryEntry } from '../../../kinds/kustomization.ts'
import { describeRef, groupOf, refOf, type KubeObject, type ObjectRef } from '../../../lib/kube/object.ts'
import { readText } from '../../../lib/kube/read.ts'
import { parseInventoryEntry } from '../../../pipeline/apply/inventory.ts'
import { sealSecret } from '../../../pipeline/apply/mask-secret.ts'
import { normalize, withMetadata } from '../../../pipeline/apply/normalize.ts'
import { compareForApply } from '../../../pipeline/apply/order.ts'
import type { Rehearsed } from '../../../pipeline/apply/plan-diff.ts'
import { ownerLabels, ownerOf, rulesOf } from '../../../pipeline/apply/rules.ts'

/** Built objects beside the cluster, and what the server refused, in its own words. */
export type Rehearsal = { readonly objects: readonly Rehearsed[]; readonly refusals: readonly string[] }

/**
 * Asks the server what an apply of each object would make of it: a dry run with the manager that Flux applies with. Nothing is written.
 *
 * @param built in the order of the answer
 * @param defaultNamespace of objects that name none
 */
export async function rehearseApply(
  client: KubeClient,
  built: readonly KubeObject[],
  defaultNamespace: string | undefined,
): Promise<Rehearsal> {
  const objects: Rehearsed[] = []
  const refusals: string[] = []
  for (const object of built) {
    const wanted = sealSecret(normalize(await withNamespace(client, object, defaultNamespace)))
    try {
      objects.push(await rehearseOne(client, wanted, built))
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      refusals.push(`${describeRef(refOf(wanted))} dry-run failed (${error.reason}): ${error.message}`)
    }
  }
  return { objects, refusals }
}

/** Reads the objects of an inventory that a build no longer has, in the order a prune deletes them. */
export async function fetchLeftObjects(
  client: KubeClient,
  entries: readonly InventoryEntry[],
): Promise<readonly KubeObject[]> {
  const refs = entries.flatMap((entry) => parseInventoryEntry(entry) ?? []).sort((a, b) => compareForApply(b, a))
  const left: KubeObject[] = []
  for (const ref of refs) {
    const object = await getIfServed(client, ref)
    if (object) left.push(object)
  }
  return left
}

async function rehearseOne(client: KubeClient, wanted: KubeObject, built: readonly KubeObject[]): Promise<Rehearsed> {
  const ref = refOf(wanted)
  const live = await getIfServed(client, ref)
  const { isIgnored, isCreateOnly } = rulesOf(wanted, live)
  if (isIgnored || (isCreateOnly && live)) return { ref, wanted, live, after: undefined }
  try {
    const options = { fieldManager: APPLY_MANAGER, force: true, dryRun: true }
    return { ref, wanted, live, after: await client.patch(ref, 'apply', keepOwner(wanted, live), options) }
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404 || !comesWithBuild(wanted, built)) throw error
    return { ref, wanted, live: undefined, after: undefined }
  }
}

/** A folder alone does not say whose its objects are; that is no reason to call it a change. */
function keepOwner(wanted: KubeObject, live: KubeObject | undefined): KubeObject {
  const owner = ownerOf(wanted) ?? ownerOf(live)
  if (owner === undefined) return wanted
  const [namespace = '', name = ''] = owner.split('/')
  return withMetadata(wanted, ownerLabels(namespace, name))
}

/** The server does not know the namespace or the kind yet, because the same build brings it. */
function comesWithBuild({ apiVersion, kind, metadata }: KubeObject, built: readonly KubeObject[]): boolean {
  return built.some((other) => {
    if (other.kind === 'Namespace') return other.metadata.name === metadata.namespace
    if (other.kind !== 'CustomResourceDefinition') return false
    return readText(other, 'spec', 'group') === groupOf(apiVersion) && readText(other, 'spec', 'names', 'kind') === kind
  })
}

async function getIfServed(client: KubeClient, ref: ObjectRef): Promise<KubeObject | undefined> {
  return (await client.resource(ref.apiVersion, ref.kind)) ? client.get(ref) : undefined
}

async function withNamespace(
  client: KubeClient,
  object: KubeObject,
  namespace: string | undefined,
): Promise<KubeObject> {
  if (namespace === undefined || object.metadata.namespace) return object
  const resource = await client.resource(object.apiVersion, object.kind)
  return resource?.namespaced ? { ...object, metadata: { ...object.metadata, namespace } } : object
}
