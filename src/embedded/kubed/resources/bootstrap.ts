import { type Environment, timestamp } from '../environment.ts'
import { afterWrite, putOwn } from '../verbs/write.ts'

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

/** Makes what every cluster has: namespaces with their contents, priority classes, the service of the API itself. */
export function bootstrap(env: Environment, port: number): void {
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
  bootstrapServices(env, port)
}

/** The addresses of Services, and the first of them. */
function bootstrapServices(env: Environment, port: number): void {
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
  putOwn(env, '/services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
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
}
