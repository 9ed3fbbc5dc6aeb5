import { type Environment, timestamp } from '../environment.ts'
import type { Obj } from '../object.ts'
import { groupsOf } from '../resources/groups.ts'
import { putOwn } from './put-own.ts'

/** Where the services of API groups are kept. */
const API_SERVICES = 'apiregistration.k8s.io/apiservices'
const MANAGED = 'kube-aggregator.kubernetes.io/automanaged'

/** What clients prefer of the built-in groups, and of their versions where they differ. @see k8s.io/kubernetes/pkg/controlplane/apiserver/aggregator.go */
const PRIORITIES: Readonly<Record<string, number>> = {
  '': 18000,
  apps: 17800,
  'events.k8s.io': 17750,
  'authentication.k8s.io': 17700,
  'authorization.k8s.io': 17600,
  autoscaling: 17500,
  batch: 17400,
  'certificates.k8s.io': 17300,
  'networking.k8s.io': 17200,
  policy: 17100,
  'rbac.authorization.k8s.io': 17000,
  'storage.k8s.io': 16800,
  'apiextensions.k8s.io': 16700,
  'admissionregistration.k8s.io': 16700,
  'scheduling.k8s.io': 16600,
  'coordination.k8s.io': 16500,
  'node.k8s.io': 16300,
  'discovery.k8s.io': 16200,
  'resource.k8s.io': 16200,
  'flowcontrol.apiserver.k8s.io': 16100,
  'storagemigration.k8s.io': 15800,
}
const OF_CUSTOM_GROUPS = { group: 1000, version: 100 }
const OF_VERSIONS: Readonly<Record<string, number>> = {
  '/v1': 1,
  'autoscaling/v2': 30,
  'flowcontrol.apiserver.k8s.io/v1': 21,
  'resource.k8s.io/v1': 21,
}
const OF_A_VERSION = 15

/** Keeps an APIService of every version of every group that is served: all are the server's own. */
export function keepApiServices(env: Environment): void {
  const wanted = new Map<string, Obj>()
  for (const [group, versions] of groupsOf(env.registry))
    if (group !== 'apiregistration.k8s.io')
      for (const version of versions) wanted.set(`${version}.${group}`, serviceOf(env, group, version))
  for (const found of [...env.store.list(API_SERVICES)])
    if (!wanted.has(found.metadata.name)) env.store.remove(API_SERVICES, { ...found, metadata: { ...found.metadata } })
  for (const service of wanted.values()) putOwn(env, API_SERVICES, service)
}

function serviceOf(env: Environment, group: string, version: string): Obj {
  const priority = PRIORITIES[group]
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `${version}.${group}`, labels: { [MANAGED]: priority === undefined ? 'true' : 'onstart' } },
    spec: {
      ...(group === '' ? {} : { group }),
      version,
      groupPriorityMinimum: priority ?? OF_CUSTOM_GROUPS.group,
      versionPriority:
        priority === undefined ? OF_CUSTOM_GROUPS.version : (OF_VERSIONS[`${group}/${version}`] ?? OF_A_VERSION),
    },
    status: {
      conditions: [
        {
          type: 'Available',
          status: 'True',
          lastTransitionTime: timestamp(env.nowMs()),
          reason: 'Local',
          message: 'Local APIServices are always available',
        },
      ],
    },
  }
}
