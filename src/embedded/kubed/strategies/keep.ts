import { clone, type JsonObject, objectsOf } from '../../../lib/kube/json.ts'
import { type Obj, specOf } from '../object.ts'
import { EPHEMERAL, keepsMetaByStatus, RESIZE, type Resource, writesStatus } from '../resources/resource.ts'

/** Puts back what a write through the subresource does not write. In place. */
export function keepUnwritten(resource: Resource, subresource: string, object: Obj, before: Obj): void {
  if (writesStatus(subresource)) keepAllButStatus(resource, object, before)
  else if (subresource === EPHEMERAL) keepAllButEphemeral(object, before)
  else if (subresource === RESIZE) keepAllButAmounts(object, before)
  else if (resource.subresources.has('status')) {
    if (before.status === undefined) delete object.status
    else object.status = before.status
  }
}

const KEPT_META = ['labels', 'annotations', 'finalizers', 'ownerReferences']

/** Through /status, built-in kinds let metadata change too; labels of some, custom resources and some kinds do not. */
function keepAllButStatus(resource: Resource, object: Obj, before: Obj): void {
  const { status, metadata } = object
  for (const field of Object.keys(object)) delete object[field]
  const { managedFields: _old, ...kept } = before.metadata
  Object.assign(object, clone({ ...before, metadata: kept }))
  if (status === undefined) delete object.status
  else object.status = status
  if (resource.custom !== undefined) {
    if (metadata.managedFields !== undefined) object.metadata.managedFields = metadata.managedFields
    return
  }
  object.metadata = metadata
  const own = keepsMetaByStatus(resource) ? KEPT_META : resource.kind === 'Deployment' ? ['labels'] : []
  for (const name of own) metadata[name] = before.metadata[name]
}

/** A pod as it was, but for the containers that look into it. */
function keepAllButEphemeral(pod: Obj, before: Obj): void {
  const { ephemeralContainers } = specOf(pod)
  const { managedFields } = pod.metadata
  Object.assign(pod, clone(before))
  if (managedFields !== undefined) pod.metadata.managedFields = managedFields
  if (ephemeralContainers === undefined) delete specOf(pod).ephemeralContainers
  else specOf(pod).ephemeralContainers = ephemeralContainers
}

const RESIZED = ['containers', 'initContainers'] as const

/** Of a pod that is resized only what its containers may use is new; who names other containers is refused later. */
function keepAllButAmounts(pod: Obj, before: Obj): void {
  const { managedFields } = pod.metadata
  const wanted = specOf(pod)
  Object.assign(pod, clone(before))
  if (managedFields !== undefined) pod.metadata.managedFields = managedFields
  const spec = specOf(pod)
  const lists = RESIZED.map((list) => [objectsOf(wanted[list]), objectsOf(spec[list])] as const)
  if (lists.some(([now, had]) => now.length !== had.length)) pod.spec = wanted
  else
    lists.forEach(([now, had], index) => {
      const list = RESIZED[index] ?? 'containers'
      if (had.length > 0) spec[list] = now.some(({ name }, at) => name !== had[at]?.name) ? now : resized(now, had)
    })
}

const resized = (now: readonly JsonObject[], had: readonly JsonObject[]): JsonObject[] =>
  now.map(({ resources = {}, resizePolicy }, index) => ({
    ...had[index],
    resources,
    ...(resizePolicy === undefined ? {} : { resizePolicy }),
  }))
