import { seed, type Seed } from './seed.ts'
import { SELECTOR, TEMPLATE } from './seed-template.ts'

const JOB_SPEC = {
  parallelism: 2,
  completions: 3,
  completionMode: 'Indexed',
  backoffLimitPerIndex: 1,
  maxFailedIndexes: 2,
  activeDeadlineSeconds: 60,
  ttlSecondsAfterFinished: 5,
  suspend: true,
  podFailurePolicy: {
    rules: [
      { action: 'FailJob', onExitCodes: { containerName: 'main', operator: 'In', values: [1, 2] } },
      { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
    ],
  },
  successPolicy: { rules: [{ succeededIndexes: '0-1', succeededCount: 1 }] },
  template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'registry.local/job:1' }] } },
}

/** Seeds of what runs pods. */
export const WORKLOAD_SEEDS: readonly Seed[] = [
  seed('apps/v1', 'controllerrevisions', 'ControllerRevision', { data: { a: 1 }, revision: 3 }),
  seed('apps/v1', 'daemonsets', 'DaemonSet', {
    spec: {
      selector: SELECTOR,
      template: TEMPLATE,
      minReadySeconds: 1,
      revisionHistoryLimit: 2,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%', maxSurge: 0 } },
    },
  }),
  seed('apps/v1', 'deployments', 'Deployment', {
    spec: {
      replicas: 0,
      selector: SELECTOR,
      template: TEMPLATE,
      minReadySeconds: 1,
      revisionHistoryLimit: 2,
      progressDeadlineSeconds: 50,
      paused: true,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%', maxSurge: 1 } },
    },
  }),
  seed('apps/v1', 'replicasets', 'ReplicaSet', {
    spec: { replicas: 0, selector: SELECTOR, template: TEMPLATE, minReadySeconds: 1 },
  }),
  seed('apps/v1', 'statefulsets', 'StatefulSet', {
    spec: {
      replicas: 0,
      selector: SELECTOR,
      template: TEMPLATE,
      serviceName: 'svc',
      minReadySeconds: 1,
      revisionHistoryLimit: 2,
      podManagementPolicy: 'Parallel',
      ordinals: { start: 1 },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
    },
  }),
  seed('autoscaling/v1', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler', {
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
      minReplicas: 2,
      maxReplicas: 5,
      targetCPUUtilizationPercentage: 50,
    },
  }),
  seed('autoscaling/v2', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler', {
    metadata: { name: 'seed2' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
      minReplicas: 2,
      maxReplicas: 5,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } },
        {
          type: 'Pods',
          pods: {
            metric: { name: 'm', selector: { matchLabels: { a: 'b' } } },
            target: { type: 'AverageValue', averageValue: '1' },
          },
        },
        {
          type: 'Object',
          object: {
            describedObject: { apiVersion: 'v1', kind: 'Service', name: 's' },
            metric: { name: 'm' },
            target: { type: 'Value', value: '3' },
          },
        },
        { type: 'External', external: { metric: { name: 'm' }, target: { type: 'Value', value: '3' } } },
        {
          type: 'ContainerResource',
          containerResource: { name: 'memory', container: 'c', target: { type: 'AverageValue', averageValue: '1Gi' } },
        },
      ],
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 5,
          selectPolicy: 'Min',
          tolerance: '0.1',
          policies: [{ type: 'Pods', value: 2, periodSeconds: 10 }],
        },
        scaleDown: { policies: [{ type: 'Percent', value: 20, periodSeconds: 10 }] },
      },
    },
  }),
  seed('batch/v1', 'cronjobs', 'CronJob', {
    spec: {
      schedule: '*/5 * * * *',
      timeZone: 'Etc/UTC',
      startingDeadlineSeconds: 5,
      concurrencyPolicy: 'Forbid',
      suspend: true,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 2,
      jobTemplate: { metadata: { labels: { a: 'b' } }, spec: JOB_SPEC },
    },
  }),
  seed('batch/v1', 'jobs', 'Job', { spec: JOB_SPEC }),
]
