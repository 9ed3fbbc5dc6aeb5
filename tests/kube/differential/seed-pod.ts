const CONTAINER = {
  name: 'main',
  image: 'registry.local/app:1',
  command: ['/bin/app'],
  args: ['--v'],
  workingDir: '/srv',
  ports: [
    { name: 'http', containerPort: 8080, protocol: 'TCP' },
    { name: 'dns', containerPort: 53, hostPort: 5353, protocol: 'UDP' },
  ],
  env: [
    { name: 'A', value: 'one' },
    { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'C', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: true } } },
    { name: 'D', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } },
    { name: 'E', valueFrom: { resourceFieldRef: { containerName: 'main', resource: 'limits.cpu', divisor: '1m' } } },
  ],
  envFrom: [{ prefix: 'P_', configMapRef: { name: 'c' } }, { secretRef: { name: 's', optional: true } }],
  resources: { limits: { cpu: '1', memory: '64Mi' }, requests: { cpu: '100m', memory: '32Mi' } },
  volumeMounts: [
    { name: 'tmp', mountPath: '/tmp', subPath: 'a/b' },
    { name: 'conf', mountPath: '/etc/conf', readOnly: true },
  ],
  livenessProbe: {
    httpGet: { path: '/live', port: 'http', scheme: 'HTTP', httpHeaders: [{ name: 'X-A', value: 'b' }] },
    initialDelaySeconds: 1,
    periodSeconds: 5,
    timeoutSeconds: 2,
    failureThreshold: 4,
    terminationGracePeriodSeconds: 9,
  },
  readinessProbe: { tcpSocket: { port: 8080 }, successThreshold: 2 },
  startupProbe: { exec: { command: ['true'] } },
  lifecycle: { preStop: { exec: { command: ['sleep', '1'] } }, postStart: { httpGet: { path: '/', port: 80 } } },
  terminationMessagePath: '/dev/end',
  terminationMessagePolicy: 'FallbackToLogsOnError',
  imagePullPolicy: 'Always',
  securityContext: {
    runAsUser: 1000,
    runAsGroup: 1000,
    runAsNonRoot: true,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
    procMount: 'Default',
  },
  stdin: true,
  stdinOnce: true,
  tty: true,
}

/** A spec of a pod with something in almost every field. */
export const POD_SPEC = {
  initContainers: [
    { name: 'init', image: 'registry.local/init:1' },
    { name: 'side', image: 'registry.local/side:1', restartPolicy: 'Always' },
  ],
  containers: [CONTAINER, { name: 'second', image: 'registry.local/b@sha256:00' }],
  volumes: [
    { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    { name: 'conf', configMap: { name: 'c', items: [{ key: 'k', path: 'p/q', mode: 0o400 }], defaultMode: 0o440 } },
    { name: 'sec', secret: { secretName: 's', optional: true } },
    { name: 'host', hostPath: { path: '/var/lib/x', type: 'Directory' } },
    { name: 'claim', persistentVolumeClaim: { claimName: 'pvc', readOnly: true } },
    {
      name: 'all',
      projected: {
        sources: [
          { serviceAccountToken: { audience: 'a', expirationSeconds: 900, path: 'token' } },
          { configMap: { name: 'c' } },
          { secret: { name: 's' } },
          { downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
        ],
      },
    },
    { name: 'down', downwardAPI: { items: [{ path: 'n', fieldRef: { fieldPath: 'metadata.name' } }] } },
    { name: 'net', nfs: { server: 'nfs.local', path: '/x' } },
    { name: 'drv', csi: { driver: 'd.example.com', fsType: 'ext4' } },
  ],
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 20,
  dnsPolicy: 'None',
  dnsConfig: { nameservers: ['10.0.0.1'], searches: ['a.local'], options: [{ name: 'ndots', value: '2' }] },
  nodeSelector: { disk: 'ssd' },
  serviceAccountName: 'default',
  automountServiceAccountToken: false,
  hostname: 'host',
  subdomain: 'sub',
  schedulerName: 'other',
  hostAliases: [{ ip: '10.1.2.3', hostnames: ['a.b'] }],
  priority: 0,
  enableServiceLinks: false,
  preemptionPolicy: 'PreemptLowerPriority',
  shareProcessNamespace: true,
  imagePullSecrets: [{ name: 'pull' }],
  readinessGates: [{ conditionType: 'example.com/ready' }],
  securityContext: {
    runAsUser: 5,
    runAsGroup: 6,
    fsGroup: 7,
    supplementalGroups: [8],
    sysctls: [{ name: 'net.a', value: '1' }],
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'Localhost', localhostProfile: 'p.json' },
  },
  tolerations: [{ key: 'k', operator: 'Equal', value: 'v', effect: 'NoExecute', tolerationSeconds: 5 }],
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'a' } },
      minDomains: 2,
      nodeAffinityPolicy: 'Honor',
      nodeTaintsPolicy: 'Ignore',
      matchLabelKeys: ['rev'],
    },
  ],
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          {
            matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }],
            matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }],
          },
        ],
      },
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 5, preference: { matchExpressions: [{ key: 'c', operator: 'Gt', values: ['5'] }] } },
      ],
    },
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        {
          topologyKey: 'zone',
          labelSelector: { matchExpressions: [{ key: 'a', operator: 'Exists' }] },
          namespaces: ['x'],
        },
      ],
    },
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 10, podAffinityTerm: { topologyKey: 'host', labelSelector: { matchLabels: { a: 'b' } } } },
      ],
    },
  },
}
