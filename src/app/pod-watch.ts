import type { WatchCache } from '../adapters/kube/types.ts'
import type { KubeObject } from '../lib/kube/object.ts'
import { conditionOf, readList, readText } from '../lib/kube/read.ts'
import type { FactBody, ReportFact } from '../pipeline/record/fact.ts'

/** Reports what pods really run, as it changes: the image digest of each pod and whether it is ready. */
export function reportPods(pods: WatchCache, report: ReportFact): void {
  const told = new Map<string, string>()
  pods.onChange((pod, type) => {
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`
    const fact = podFact(pod, type === 'DELETED')
    if (fact === undefined) return
    const text = JSON.stringify(fact)
    if (told.get(key) === text) return
    if (type === 'DELETED') told.delete(key)
    else told.set(key, text)
    report(fact)
  })
}

/** A pod as a fact; `undefined` while it has no image yet. Pure. */
export function podFact(pod: KubeObject, isGone: boolean): FactBody | undefined {
  const status = readList(pod, 'status', 'containerStatuses')[0]
  const imageId = readText(status, 'imageID')
  const digest = imageId.slice(imageId.lastIndexOf('@') + 1)
  if (!digest.startsWith('sha256:')) return undefined
  return {
    kind: 'pod',
    namespace: pod.metadata.namespace ?? '',
    workload: workloadOf(pod),
    pod: pod.metadata.name,
    image: readText(status, 'image'),
    digest,
    ready: !isGone && pod.metadata.deletionTimestamp === undefined && conditionOf(pod, 'Ready')?.status === 'True',
  }
}

// A Deployment's pod belongs to a ReplicaSet that is called <deployment>-<template hash>.
function workloadOf(pod: KubeObject): string {
  const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller === true)
  if (owner === undefined) return pod.metadata.name
  const hash = pod.metadata.labels?.['pod-template-hash']
  return owner.kind === 'ReplicaSet' && hash !== undefined && owner.name.endsWith(`-${hash}`)
    ? owner.name.slice(0, -hash.length - 1)
    : owner.name
}
