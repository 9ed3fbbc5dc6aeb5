import type { JsonObject } from '../../../lib/kube/json.ts'
import { parseFields, type PathSet } from '../../../lib/kube-typed/merge/path-set.ts'
import { keepsMetaByStatus, RESIZE, type Resource, SIGNING_REQUESTS } from '../resources/resource.ts'

/** The status of a signing request that a subresource does not write; none of it is written by the main resource. */
const SIGNING_RESETS: Readonly<Record<string, JsonObject>> = {
  status: { 'f:conditions': {} },
  approval: { 'f:certificate': {} },
}

/** What a write through a subresource, or through the main resource, cannot change: such paths are never owned. */
export function resetFieldsOf(resource: Resource, subresource: string): PathSet | undefined {
  if (!resource.subresources.has('status')) return undefined
  if (resource.storageKey === SIGNING_REQUESTS)
    return parseFields({ 'f:spec': {}, 'f:status': SIGNING_RESETS[subresource] ?? {} })
  if (subresource === '' || subresource === RESIZE) return parseFields({ 'f:status': {} })
  if (subresource !== 'status') return undefined
  if (resource.custom !== undefined) return parseFields({ 'f:spec': {}, 'f:metadata': {} })
  const { group } = resource
  if (resource.kind === 'Pod')
    return parseFields({ 'f:spec': {}, 'f:metadata': { 'f:deletionTimestamp': {}, 'f:ownerReferences': {} } })
  if (group === 'apps' || group === 'batch')
    return parseFields({
      'f:spec': {},
      ...(resource.kind === 'Deployment' ? { 'f:metadata': { 'f:labels': {} } } : {}),
    })
  if (keepsMetaByStatus(resource)) return parseFields({ 'f:metadata': {}, 'f:spec': {} })
  return parseFields({ 'f:spec': {} })
}
