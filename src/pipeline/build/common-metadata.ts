import type { KubeObject } from '../../lib/kube/object.ts'

/** `spec.commonMetadata`. */
export type CommonMetadata = {
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

/** Sets labels and annotations on every object's own metadata; those of the spec win. */
export function setCommonMetadata(
  objects: readonly KubeObject[],
  common: CommonMetadata | undefined,
): readonly KubeObject[] {
  if (!common || (!common.labels && !common.annotations)) return objects
  return objects.map((object) => {
    const { metadata } = object
    const labels = common.labels ? { labels: { ...metadata.labels, ...common.labels } } : {}
    const annotations = common.annotations ? { annotations: { ...metadata.annotations, ...common.annotations } } : {}
    return { ...object, metadata: { ...metadata, ...labels, ...annotations } }
  })
}
