import { ApiError } from '../../../adapters/kube/api-error.ts'
import type { HttpKubeClient } from '../../../adapters/kube/client.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../../lib/kube/object.ts'
import { FIELD_MANAGER } from '../write.ts'
import type { GarbageWrite, OwnerState } from './decide.ts'
import { FOREGROUND } from './decide.ts'
import type { GraphNode } from './graph.ts'

/** How the owner that a reference names is on the server now. */
export async function lookUpOwner(
  client: HttpKubeClient,
  owner: { readonly apiVersion: string; readonly kind: string; readonly name: string; readonly uid: string },
  namespace: string,
): Promise<OwnerState> {
  const resource = await client.resource(owner.apiVersion, owner.kind)
  if (!resource) return 'unserved'
  // What is in no namespace does not say in which one its owner would be.
  if (resource.namespaced && namespace === '') return 'unknown'
  const { apiVersion, kind, name } = owner
  const found = await client.get({ apiVersion, kind, name, namespace: resource.namespaced ? namespace : '' })
  if (!found || found.metadata.uid !== owner.uid) return 'absent'
  const isWaiting = found.metadata.deletionTimestamp !== undefined && found.metadata.finalizers?.includes(FOREGROUND)
  return isWaiting ? 'waiting' : 'present'
}

/** Carries one step out. What has gone or changed meanwhile is looked at again by its own events. */
export async function carryGarbageStep(client: HttpKubeClient, object: KubeObject, step: GarbageWrite): Promise<void> {
  const { uid = '', resourceVersion = '' } = object.metadata
  switch (step.do) {
    case 'delete':
      await client.remove(refOf(object), { propagationPolicy: step.propagationPolicy, uid, resourceVersion })
      return
    case 'dropOwners':
      return dropOwners(client, refOf(object), uid, new Set(step.uids))
    case 'dropFinalizer': {
      const finalizers = (object.metadata.finalizers ?? []).filter((finalizer) => finalizer !== step.finalizer)
      await mergeMetadata(client, refOf(object), { resourceVersion, finalizers })
      return
    }
    case 'unblock': {
      const ownerReferences = (object.metadata.ownerReferences ?? []).map((owner) =>
        owner.blockOwnerDeletion === true ? { ...owner, blockOwnerDeletion: false } : owner,
      )
      await mergeMetadata(client, refOf(object), { resourceVersion, ownerReferences })
      return
    }
    case 'orphan':
      await Promise.all(step.dependents.map((dependent) => orphan(client, dependent, uid)))
  }
}

async function orphan(client: HttpKubeClient, dependent: GraphNode, ownerUid: string): Promise<void> {
  return dropOwners(client, dependent.ref, dependent.uid, new Set([ownerUid]))
}

async function dropOwners(
  client: HttpKubeClient,
  ref: ObjectRef,
  uid: string,
  gone: ReadonlySet<string>,
): Promise<void> {
  const found = await client.get(ref)
  if (!found || found.metadata.uid !== uid) return
  const { ownerReferences = [], resourceVersion = '' } = found.metadata
  const kept = ownerReferences.filter((owner) => !gone.has(owner.uid))
  if (kept.length !== ownerReferences.length)
    await mergeMetadata(client, ref, { resourceVersion, ownerReferences: kept })
}

async function mergeMetadata(client: HttpKubeClient, ref: ObjectRef, metadata: object): Promise<void> {
  try {
    await client.patch(ref, 'merge', { metadata }, { fieldManager: FIELD_MANAGER })
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error
  }
}
