import { seed, type Seed } from './seed.ts'

const named = (name: string, rest: object): object => ({ metadata: { name }, ...rest })
const CONTAINERS = [{ name: 'main', image: 'registry.local/app:1' }]

/** Objects in a state in which other changes are allowed than right after their making. */
export const STATES: readonly Seed[] = [
  seed(
    'v1',
    'configmaps',
    'ConfigMap',
    named('sealed', { data: { a: 'b' }, binaryData: { c: 'AAE=' }, immutable: true }),
  ),
  seed('v1', 'secrets', 'Secret', named('sealed', { data: { a: 'Yg==' }, immutable: true })),
  seed(
    'v1',
    'pods',
    'Pod',
    named('running', {
      spec: {
        nodeName: 'n',
        containers: CONTAINERS,
        activeDeadlineSeconds: 50,
        tolerations: [{ key: 'k', operator: 'Exists' }],
      },
      status: {
        phase: 'Running',
        podIP: '10.1.0.1',
        podIPs: [{ ip: '10.1.0.1' }],
        hostIP: '10.0.0.1',
        hostIPs: [{ ip: '10.0.0.1' }],
        startTime: '2026-01-01T00:00:00Z',
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [
          {
            name: 'main',
            image: 'i',
            imageID: 'd',
            ready: true,
            restartCount: 1,
            started: true,
            state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
          },
        ],
      },
    }),
  ),
  seed(
    'v1',
    'pods',
    'Pod',
    named('gated', {
      spec: {
        containers: CONTAINERS,
        schedulingGates: [{ name: 'example.com/a' }, { name: 'example.com/b' }],
        nodeSelector: { a: 'b' },
      },
    }),
  ),
  seed('v1', 'services', 'Service', named('plain', { spec: { selector: { a: 'b' }, ports: [{ port: 80 }] } })),
  seed(
    'v1',
    'services',
    'Service',
    named('headless', { spec: { clusterIP: 'None', selector: { a: 'b' }, ports: [{ port: 80 }] } }),
  ),
  seed('v1', 'services', 'Service', named('external', { spec: { type: 'ExternalName', externalName: 'example.com' } })),
  seed(
    'v1',
    'services',
    'Service',
    named('port', {
      spec: { type: 'NodePort', selector: { a: 'b' }, ports: [{ name: 'a', port: 80, nodePort: 30080 }] },
    }),
  ),
  seed(
    'v1',
    'persistentvolumeclaims',
    'PersistentVolumeClaim',
    named('bound', {
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'seed',
        volumeName: 'v',
        resources: { requests: { storage: '2Gi' } },
      },
      status: { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '2Gi' } },
    }),
  ),
  seed(
    'apps/v1',
    'deployments',
    'Deployment',
    named('ready', {
      spec: {
        replicas: 1,
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: CONTAINERS } },
      },
      status: {
        observedGeneration: 1,
        replicas: 1,
        updatedReplicas: 1,
        readyReplicas: 1,
        availableReplicas: 1,
        conditions: [
          {
            type: 'Available',
            status: 'True',
            reason: 'MinimumReplicasAvailable',
            message: 'm',
            lastUpdateTime: '2026-01-01T00:00:00Z',
            lastTransitionTime: '2026-01-01T00:00:00Z',
          },
        ],
      },
    }),
  ),
  seed(
    'apps/v1',
    'statefulsets',
    'StatefulSet',
    named('ready', {
      spec: {
        replicas: 1,
        serviceName: 's',
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: CONTAINERS } },
      },
      status: {
        observedGeneration: 1,
        replicas: 1,
        readyReplicas: 1,
        currentReplicas: 1,
        updatedReplicas: 1,
        availableReplicas: 1,
        currentRevision: 'x',
        updateRevision: 'x',
        collisionCount: 0,
      },
    }),
  ),
  seed(
    'apps/v1',
    'daemonsets',
    'DaemonSet',
    named('ready', {
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: CONTAINERS } },
      },
      status: {
        observedGeneration: 1,
        currentNumberScheduled: 1,
        desiredNumberScheduled: 1,
        numberReady: 1,
        numberMisscheduled: 0,
        updatedNumberScheduled: 1,
        numberAvailable: 1,
        numberUnavailable: 0,
      },
    }),
  ),
  seed(
    'apps/v1',
    'replicasets',
    'ReplicaSet',
    named('ready', {
      spec: {
        replicas: 1,
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: CONTAINERS } },
      },
      status: { observedGeneration: 1, replicas: 1, readyReplicas: 1, availableReplicas: 1, fullyLabeledReplicas: 1 },
    }),
  ),
  seed(
    'batch/v1',
    'jobs',
    'Job',
    named('running', {
      spec: { template: { spec: { restartPolicy: 'Never', containers: CONTAINERS } } },
      status: {
        startTime: '2026-01-01T00:00:00Z',
        active: 1,
        ready: 1,
        uncountedTerminatedPods: { succeeded: ['x'], failed: [] },
      },
    }),
  ),
  seed(
    'batch/v1',
    'jobs',
    'Job',
    named('indexed', {
      spec: {
        completionMode: 'Indexed',
        completions: 3,
        parallelism: 3,
        template: { spec: { restartPolicy: 'Never', containers: CONTAINERS } },
      },
    }),
  ),
  seed(
    'batch/v1',
    'jobs',
    'Job',
    named('waiting', {
      spec: {
        suspend: true,
        completions: 2,
        template: {
          metadata: { labels: { a: 'b' } },
          spec: { restartPolicy: 'Never', containers: CONTAINERS, nodeSelector: { a: 'b' } },
        },
      },
    }),
  ),
  seed(
    'batch/v1',
    'cronjobs',
    'CronJob',
    named('plain', {
      spec: {
        schedule: '* * * * *',
        jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: CONTAINERS } } } },
      },
      status: { lastScheduleTime: '2026-01-01T00:00:00Z', active: [{ kind: 'Job', name: 'x' }] },
    }),
  ),
  seed(
    'policy/v1',
    'poddisruptionbudgets',
    'PodDisruptionBudget',
    named('met', {
      spec: { minAvailable: 1, selector: { matchLabels: { a: 'b' } } },
      status: {
        observedGeneration: 1,
        currentHealthy: 1,
        desiredHealthy: 1,
        disruptionsAllowed: 0,
        expectedPods: 1,
        conditions: [
          {
            type: 'DisruptionAllowed',
            status: 'True',
            reason: 'R',
            message: '',
            lastTransitionTime: '2026-01-01T00:00:00Z',
          },
        ],
      },
    }),
  ),
  seed(
    'networking.k8s.io/v1',
    'ingresses',
    'Ingress',
    named('served', {
      spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } },
      status: {
        loadBalancer: {
          ingress: [{ ip: '1.2.3.4', ports: [{ port: 80, protocol: 'TCP' }] }, { hostname: 'h.example.com' }],
        },
      },
    }),
  ),
  seed(
    'v1',
    'services',
    'Service',
    named('balanced', {
      spec: { type: 'LoadBalancer', selector: { a: 'b' }, ports: [{ port: 80 }] },
      status: {
        loadBalancer: { ingress: [{ ip: '1.2.3.4' }] },
        conditions: [
          { type: 'X', status: 'True', reason: 'R', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
        ],
      },
    }),
  ),
  seed(
    'autoscaling/v2',
    'horizontalpodautoscalers',
    'HorizontalPodAutoscaler',
    named('scaling', {
      spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' } },
      status: {
        currentReplicas: 1,
        desiredReplicas: 1,
        observedGeneration: 1,
        conditions: [{ type: 'AbleToScale', status: 'True' }],
      },
    }),
  ),
]
