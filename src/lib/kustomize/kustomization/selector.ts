import { anchored } from './go-regexp.ts'
import { effectiveNamespace } from '../objects/ids.ts'
import { parseLabelSelector } from './label-selector.ts'
import { currentId, originalId, textMap, type Resource } from '../objects/resource.ts'

/** What `target:` of a patch selects by; every text is a regular expression over the whole value. */
export type Selector = {
  readonly group?: string
  readonly version?: string
  readonly kind?: string
  readonly name?: string
  readonly namespace?: string
  readonly labelSelector?: string
  readonly annotationSelector?: string
}

/** The resources that a selector takes. */
export function selectResources(resources: readonly Resource[], selector: Selector): Resource[] {
  const [group, version, kind] = [anchored(selector.group), anchored(selector.version), anchored(selector.kind)]
  const [name, namespace] = [anchored(selector.name), anchored(selector.namespace)]
  const isLabelled = labelTest(selector)
  return resources.filter((resource) => {
    const id = currentId(resource)
    if (!kind(id.kind) || !group(id.group) || !version(id.version)) return false
    const original = originalId(resource)
    if (!name(original.name) && !name(id.name)) return false
    if (!namespace(effectiveNamespace(original)) && !namespace(effectiveNamespace(id))) return false
    return isLabelled(resource)
  })
}

/**
 * Tests labels and annotations; an empty selector takes everything. A selector that is none is a fault only where an object is tested,
 * as in kustomize.
 */
export function labelTest(
  selector: Pick<Selector, 'labelSelector' | 'annotationSelector'>,
): (resource: Resource) => boolean {
  const labels = textsTest(selector.labelSelector)
  const annotations = textsTest(selector.annotationSelector)
  return (resource) => labels(resource, 'labels') && annotations(resource, 'annotations')
}

function textsTest(selector = ''): (resource: Resource, field: 'labels' | 'annotations') => boolean {
  if (selector === '') return () => true
  let parsed: ReturnType<typeof parseLabelSelector> | undefined
  return (resource, field) => {
    parsed ??= parseLabelSelector(selector)
    return parsed(textMap(resource, field))
  }
}
