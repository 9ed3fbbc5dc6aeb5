import type { KubeObject } from '../../../../lib/kube/object.ts'
import { read, readList, readText } from '../../../../lib/kube/read.ts'
import type { WorkloadImages } from '../../../../pipeline/record/fact.ts'

const WORKLOADS = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'])

/** Every object that runs pods, and the images it asks for: that of its first container, which the workload is about, comes first. */
export function workloadsOf(objects: readonly KubeObject[]): readonly WorkloadImages[] {
  return objects
    .filter(({ kind }) => WORKLOADS.has(kind))
    .map((object) => ({
      namespace: object.metadata.namespace ?? '',
      name: object.metadata.name,
      images: imagesOfObject(object),
      ...(needsPods(object) ? { needsPods: true } : {}),
    }))
}

/** A DaemonSet may have no node to run on, a Job is over at some time. */
function needsPods({ kind, spec }: KubeObject): boolean {
  return (kind === 'Deployment' || kind === 'StatefulSet') && read(spec, 'replicas') !== 0
}

const POD_SPECS = [['spec'], ['spec', 'template', 'spec'], ['spec', 'jobTemplate', 'spec', 'template', 'spec']]

function imagesOfObject(object: KubeObject): readonly string[] {
  return POD_SPECS.flatMap((path) =>
    ['containers', 'initContainers'].flatMap((list) => readList(object, ...path, list)),
  )
    .map((container) => readText(container, 'image'))
    .filter((image) => image !== '')
}
