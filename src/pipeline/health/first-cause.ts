import type { KubeObject } from '../../lib/kube/object.ts'
import { conditionOf, read, readList, readText } from '../../lib/kube/read.ts'
import { type ProbeFault, probeFaultOf } from './probe-fault.ts'

/** The workload that a pod belongs to: its Deployment, StatefulSet, …; the pod itself when nobody owns it. */
export function workloadOf(pod: KubeObject): string {
  const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller === true)
  if (owner === undefined) return pod.metadata.name
  // A Deployment's pod belongs to a ReplicaSet that is called <deployment>-<template hash>.
  const hash = pod.metadata.labels?.['pod-template-hash']
  const isOfDeployment = owner.kind === 'ReplicaSet' && hash !== undefined && owner.name.endsWith(`-${hash}`)
  return isOfDeployment ? owner.name.slice(0, -hash.length - 1) : owner.name
}

/** Why a workload (`namespace/name`) is not healthy. */
export type WorkloadCause = { readonly workload: string; readonly cause: string }

/** What there is of workloads. */
export type Running = {
  readonly pods: readonly KubeObject[]
  /** They say why a pod could not even be made. */
  readonly deployments: readonly KubeObject[]
  /** Events of probes that failed: what they met stands nowhere else. */
  readonly unhealthy: readonly KubeObject[]
}

/**
 * Why the workloads that a health check names are not healthy, as {@link causeOfWorkload} tells it.
 *
 * @param message Flux's text: `… [Deployment/default/web status: 'Failed', …]`
 * @returns one sentence a workload of which something is known
 */
export function firstCauses(message: string, running: Running): readonly WorkloadCause[] {
  const named = [...message.matchAll(/\b(?:Deployment|StatefulSet|DaemonSet|Job)\/([^/\s]+)\/([^/\s]+) status/g)]
  return named.flatMap(([, namespace = '', name = '']) => {
    const cause = causeOfWorkload(namespace, name, running)
    return cause === undefined ? [] : [{ workload: `${namespace}/${name}`, cause }]
  })
}

/**
 * Why a workload is not healthy, said by its pods (what a container waits for, how it ended, which probe fails), or by its Deployment
 * when a quota or an admission policy keeps it from having one more. The newest pod that has something to say is asked: what an older one
 * of another revision suffers from may be over when the rollout is.
 */
export function causeOfWorkload(
  namespace: string,
  name: string,
  { pods, deployments, unhealthy }: Running,
): string | undefined {
  const own = pods
    .filter((pod) => pod.metadata.namespace === namespace && workloadOf(pod) === name)
    .sort((a, b) => createdAt(b) - createdAt(a))
  for (const pod of own) {
    const cause = causeOfPod(pod, unhealthy)
    if (cause !== undefined) return cause
  }
  const deployment = deployments.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name)
  const refused = conditionOf(deployment, 'ReplicaFailure')
  return refused?.status === 'True' ? `no pod can be made: ${refused.message}` : undefined
}

function createdAt({ metadata }: KubeObject): number {
  return Date.parse(metadata.creationTimestamp ?? '') || 0
}

/** Why one pod is not ready; `undefined` when it is, or is on its way out. */
export function causeOfPod(pod: KubeObject, unhealthy: Running['unhealthy']): string | undefined {
  if (pod.metadata.deletionTimestamp !== undefined || conditionOf(pod, 'Ready')?.status === 'True') return undefined
  const scheduled = conditionOf(pod, 'PodScheduled')
  if (scheduled?.status === 'False') return `pod ${pod.metadata.name} has no node: ${scheduled.message}`
  const statuses = [
    ...readList(pod, 'status', 'initContainerStatuses'),
    ...readList(pod, 'status', 'containerStatuses'),
  ]
  for (const status of statuses) {
    const cause = causeOfContainer(pod, status, unhealthy)
    if (cause !== undefined) return `pod ${pod.metadata.name}: ${cause}`
  }
  return undefined
}

function causeOfContainer(pod: KubeObject, status: unknown, unhealthy: Running['unhealthy']): string | undefined {
  const name = readText(status, 'name')
  const fault = (): ProbeFault | undefined => probeFaultOf(pod, name, unhealthy)
  const waiting = read(status, 'state', 'waiting')
  const ended = read(status, 'state', 'terminated') ?? read(status, 'lastState', 'terminated')
  if (waiting !== undefined && readText(waiting, 'reason') !== 'CrashLoopBackOff')
    return (
      join(`container ${name} waits: ${readText(waiting, 'reason')}`, readText(waiting, 'message')) +
      loginOf(pod, waiting)
    )
  if (ended !== undefined && read(ended, 'exitCode') !== 0) return describeEnd(pod, name, ended, fault())
  if (read(status, 'ready') !== false) return undefined
  return `container ${name} runs but is not ready: ${describeProbe(pod, name, fault())}`
}

/** Where a registry refuses a pull, what the pod has shown it. */
function loginOf(pod: KubeObject, waiting: unknown): string {
  const isRefused = /\b40[13]\b|unauthori[sz]ed|denied/i.test(readText(waiting, 'message'))
  if (!isRefused || !/^(Err)?ImagePull/.test(readText(waiting, 'reason'))) return ''
  const secrets = readList(pod, 'spec', 'imagePullSecrets').map((one) => readText(one, 'name'))
  return secrets.length === 0
    ? '; the pod has no imagePullSecrets'
    : `; look at its imagePullSecrets: Secret ${secrets.map((name) => `${pod.metadata.namespace ?? ''}/${name}`).join(', ')}`
}

/** What it said last is in its log; where that is, is the next step. */
function describeEnd(
  { metadata, ...pod }: KubeObject,
  container: string,
  ended: unknown,
  fault: ProbeFault | undefined,
): string {
  const containers = [...readList(pod, 'spec', 'containers'), ...readList(pod, 'spec', 'initContainers')]
  const spec = containers.find((one) => read(one, 'name') === container)
  const how = `ended with exit code ${String(read(ended, 'exitCode'))}${describeReason(ended, spec)}${endedBy(ended, fault)}`
  const text = join(`container ${container} ${how}`, readText(ended, 'message'))
  const isOneOfMany = containers.length > 1
  const which = isOneOfMany ? ` -c ${container}` : ''
  return `${text} (sluice logs pod/${metadata.name} -p${which} -n ${metadata.namespace ?? ''})`
}

/** Whoever reads of too much memory asks next how much it may have. */
function describeReason(ended: unknown, spec: unknown): string {
  const reason = readText(ended, 'reason')
  if (reason === '' || reason === 'Error') return ''
  const limit = readText(spec, 'resources', 'limits', 'memory')
  return reason !== 'OOMKilled' || limit === '' ? `, ${reason}` : `, ${reason}: its memory limit is ${limit}`
}

/** What a kubelet answers to a program that it ended itself: SIGTERM, then SIGKILL. */
const SIGNALLED = [143, 137]

/** Whoever ends a container because its probe fails says so in an Event alone. */
function endedBy(ended: unknown, fault: ProbeFault | undefined): string {
  const isSignalled = SIGNALLED.includes(Number(read(ended, 'exitCode'))) && readText(ended, 'reason') !== 'OOMKilled'
  if (!isSignalled || fault === undefined || fault.probe === 'readiness') return ''
  return `: its ${fault.probe} probe failed: ${fault.message}`
}

function describeProbe(pod: KubeObject, name: string, fault: ProbeFault | undefined): string {
  const container = readList(pod, 'spec', 'containers').find((one) => read(one, 'name') === name)
  const why = fault?.probe === 'readiness' ? `fails: ${fault.message}` : 'does not succeed'
  const http = read(container, 'readinessProbe', 'httpGet')
  if (http === undefined) return `its readiness probe ${why}`
  return `its readiness probe GET ${readText(http, 'path') || '/'} on port ${String(read(http, 'port'))} ${why}`
}

function join(text: string, message: string): string {
  return message === '' ? text : `${text} (${message.trim()})`
}
