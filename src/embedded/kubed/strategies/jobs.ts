import { equal, isObject, objectOf, sorted } from '../../../lib/kube/json.ts'
import type { Obj } from '../object.ts'

/** A job's pods are found by the job's uid, unless it says how itself. */
export function selectOwnPods(job: Obj): void {
  const spec = objectOf(job.spec)
  const template = objectOf(spec.template)
  const metadata = isObject(template.metadata) ? template.metadata : {}
  // Labels that were not given are the template's, and follow it.
  const given = objectOf(metadata.labels)
  const followsTemplate = Object.keys(given).length > 0 && equal(objectOf(job.metadata.labels), given)
  if (spec.manualSelector !== true) {
    const { uid = '', name } = job.metadata
    metadata.labels = {
      'batch.kubernetes.io/controller-uid': uid,
      'batch.kubernetes.io/job-name': name,
      'controller-uid': uid,
      'job-name': name,
      // What was given stays, and validation refuses what does not fit.
      ...objectOf(metadata.labels),
    }
    template.metadata = metadata
    const selector = objectOf(spec.selector)
    const wanted = sorted({ 'batch.kubernetes.io/controller-uid': uid, ...objectOf(selector.matchLabels) })
    spec.selector = { ...selector, matchLabels: wanted }
  }
  if (followsTemplate) job.metadata.labels = { ...objectOf(metadata.labels) }
}

/** A job without labels of its own has those of its pods. */
export function labelLikeTemplate({ metadata, spec }: Obj): void {
  const { labels } = objectOf(objectOf(objectOf(spec).template).metadata)
  if (Object.keys(objectOf(metadata.labels)).length === 0 && labels !== undefined)
    metadata.labels = { ...objectOf(labels) }
}
