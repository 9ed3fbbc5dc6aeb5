import { equal, type JsonObject } from '../../../lib/kube/json.ts'
import { asGiven } from '../decoding/emptied.ts'
import type { Obj } from '../object.ts'
import type { Resource } from '../resources/resource.ts'

/** Kinds that count the changes of their spec. */
const COUNTED = new Set([
  'PodTemplate',
  'HorizontalPodAutoscaler',
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'ReplicationController',
  'Job',
  'CronJob',
  'Ingress',
  'IngressClass',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'Pod',
  'CustomResourceDefinition',
  'EndpointSlice',
  'PriorityClass',
  'CSIDriver',
  'FlowSchema',
  'PriorityLevelConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'DeviceClass',
  'ResourceSlice',
])

/** True when the kind has `metadata.generation`. */
function countsGenerations(resource: Resource): boolean {
  return resource.custom !== undefined || COUNTED.has(resource.kind)
}

/** The first generation of a new object, where its kind has any. In place. */
export function startGeneration(resource: Resource, { metadata }: Obj): void {
  if (countsGenerations(resource) && resource.kind !== 'CSIDriver') metadata.generation = 1
}

/** Counts a change of what is wanted. In place. */
export function countGeneration(resource: Resource, object: Obj, before: Obj): void {
  if (countsGenerations(resource) && changesSpec(resource, object, before))
    object.metadata.generation = (before.metadata.generation ?? 0) + 1
}

function changesSpec(resource: Resource, object: Obj, before: Obj): boolean {
  if (resource.custom === undefined) {
    if (resource.kind === 'EndpointSlice')
      return (
        !equal(contentOf(object, true), contentOf(before, true)) ||
        !equal(object.metadata.labels ?? {}, before.metadata.labels ?? {})
      )
    if (resource.kind === 'Deployment' && !equal(object.metadata.annotations, before.metadata.annotations)) return true
    // The only kind of which a list that is given empty is another than none.
    if (resource.kind === 'NetworkPolicy' && !equal(asGiven(object.spec), object.spec)) return true
    return (
      !equal(object.spec, before.spec) || (resource.kind === 'PodTemplate' && !equal(object.template, before.template))
    )
  }
  const withStatus = !resource.subresources.has('status')
  return !equal(contentOf(object, withStatus), contentOf(before, withStatus))
}

function contentOf({ metadata: _metadata, status, ...content }: Obj, withStatus: boolean): JsonObject {
  return withStatus ? { ...content, status } : content
}
