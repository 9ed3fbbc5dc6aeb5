import { clone, equal } from '../../../lib/kube/json.ts'
import { type Environment, timestamp } from '../environment.ts'
import type { Obj } from '../object.ts'
import { putOwn } from './put-own.ts'
import { afterWrite } from './after-write.ts'
import { keepAddresses } from './addresses.ts'
import { keepApiServices } from './api-services.ts'
import { flowSchemas, priorityLevels } from './flow-defaults.ts'

/** Where the API server says that it is. */
export type ApiAddress = { readonly host: string; readonly port: number }

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

/** Makes what every cluster has: namespaces with their contents, priority classes, the service of the API itself and where it leads. */
export function bootstrap(env: Environment, at: ApiAddress): void {
  for (const name of NAMESPACES) {
    if (env.store.get('/namespaces', '', name) !== undefined) continue
    putOwn(env, '/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    })
    afterWrite(env, env.store.get('/namespaces', '', name), undefined)
  }
  for (const [name, value] of [
    ['system-node-critical', 2000001000],
    ['system-cluster-critical', 2000000000],
  ] as const)
    putOwn(env, 'scheduling.k8s.io/priorityclasses', {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name, generation: 1 },
      value,
      preemptionPolicy: 'PreemptLowerPriority',
      description:
        name === 'system-node-critical'
          ? 'Used for system critical pods that must not be moved from their current node.'
          : 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
    })
  for (const level of priorityLevels()) putOwn(env, 'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations', level)
  for (const flow of flowSchemas()) putOwn(env, 'flowcontrol.apiserver.k8s.io/flowschemas', flow)
  leadToApi(env, at)
  bootstrapServices(env)
  keepApiServices(env)
}

/** The addresses that Services may have, and those that they have. */
function bootstrapServices(env: Environment): void {
  putOwn(env, 'networking.k8s.io/servicecidrs', {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes' },
    spec: { cidrs: ['10.96.0.0/16'] },
    status: {
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          lastTransitionTime: timestamp(env.nowMs()),
          reason: '',
          message: 'Kubernetes default Service CIDR is ready',
        },
      ],
    },
  })
  for (const service of env.store.list('/services')) keepAddresses(env, service, undefined)
}

/** The Service `kubernetes` with its endpoints, by which programs in pods find the API. Another start may be on another port. */
function leadToApi(env: Environment, { host, port }: ApiAddress): void {
  const named = { name: 'kubernetes', namespace: 'default' }
  const ports = [{ name: 'https', port, protocol: 'TCP' }]
  keep(env, '/services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...named, labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: port }],
      clusterIP: '10.96.0.1',
      clusterIPs: ['10.96.0.1'],
      type: 'ClusterIP',
      sessionAffinity: 'None',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
    },
    status: { loadBalancer: {} },
  })
  keep(env, '/endpoints', {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { ...named, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip: host }], ports }],
  })
  keep(env, 'discovery.k8s.io/endpointslices', {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...named, generation: 1, labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [host], conditions: { ready: true } }],
    ports,
  })
}

/** Makes an object of the server's own, or brings it up to date. */
function keep(env: Environment, key: string, wanted: Obj): void {
  const { namespace = '', name } = wanted.metadata
  const found = env.store.get(key, namespace, name)
  if (found === undefined) return putOwn(env, key, wanted)
  const next = { ...clone(found), ...wanted, metadata: found.metadata }
  if (!equal(next, found)) env.store.put(key, next)
}
