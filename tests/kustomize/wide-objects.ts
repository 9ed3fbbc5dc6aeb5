import type { Files, Random } from './generate-tree.ts'

/** A pod's spec in block style at an indentation, with references of every sort. */
function podSpec(r: Random, pad: string): string {
  const lines = [
    `serviceAccountName: ${r.pick(['web', 'default', 'other'])}`,
    ...(r.chance(0.3) ? ['priorityClassName: web'] : []),
    ...(r.chance(0.3) ? ['imagePullSecrets: [{name: sec}, {name: web}]'] : []),
    ...(r.chance(0.2) ? ['hostAliases: [{ip: 1.2.3.4, hostnames: [a]}]'] : []),
    ...(r.chance(0.2)
      ? [
          'affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {matchLabels: {app: web}}, topologyKey: zone}]}}',
        ]
      : []),
    ...(r.chance(0.2)
      ? [
          'topologySpreadConstraints:',
          '- topologyKey: zone',
          '  whenUnsatisfiable: DoNotSchedule',
          '  labelSelector: {matchLabels: {app: web}}',
        ]
      : []),
    'containers:',
    '- name: main',
    `  image: ${r.pick(['nginx', 'nginx:1.0', 'reg.io:5000/team/app:v1', 'reg.io/team/app@sha256:00', '"busybox"', "'gcr.io/a/b:latest'"])}`,
    ...(r.chance(0.5) ? ['  args: ["--x=$(FIRST)", $(SECOND), plain]'] : []),
    ...(r.chance(0.6)
      ? [
          '  env:',
          '  - {name: A, value: "$(FIRST)"}',
          '  - name: B',
          '    valueFrom: {configMapKeyRef: {name: cfg, key: a}}',
          '  - {name: C, valueFrom: {secretKeyRef: {name: sec, key: p}}}',
        ]
      : []),
    ...(r.chance(0.4) ? ['  envFrom: [{configMapRef: {name: cfg}}, {secretRef: {name: sec}}]'] : []),
    ...(r.chance(0.4)
      ? ['  ports: [{containerPort: 80, name: http}, {containerPort: 80, protocol: UDP}, {containerPort: 81}]']
      : []),
    ...(r.chance(0.3) ? ['  volumeMounts: [{name: v, mountPath: /a}, {name: w, mountPath: /b, subPath: c}]'] : []),
    ...(r.chance(0.3) ? ['- {name: side, image: busybox, command: [sh]}'] : []),
    ...(r.chance(0.3) ? ['initContainers: [{name: init, image: nginx:init}]'] : []),
    ...(r.chance(0.5)
      ? [
          'volumes:',
          '- {name: v, configMap: {name: cfg}}',
          '- name: w',
          '  projected: {sources: [{secret: {name: sec}}, {configMap: {name: cfg}}]}',
          '- {name: c, persistentVolumeClaim: {claimName: web}}',
          ...(r.chance(0.3) ? ['- {name: i, image: {reference: "nginx:vol"}}'] : []),
        ]
      : []),
  ]
  return lines.map((line) => `${pad}${line}\n`).join('')
}

function template(r: Random, pad: string): string {
  const metadata = r.pick([
    `${pad}  metadata: {labels: {app: web}}\n`,
    `${pad}  metadata:\n${pad}    labels:\n${pad}      app: web\n${pad}    annotations: {n: "1"}\n`,
    '',
  ])
  return `${pad}template:\n${metadata}${pad}  spec:\n${podSpec(r, `${pad}    `)}`
}

const selector = '  selector: {matchLabels: {app: web}}\n'
const binding = (kind: string, role: string, r: Random): string =>
  `roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ${role}, name: web}\nsubjects:\n- kind: ServiceAccount\n  name: ${r.pick(['web', 'default'])}\n${r.pick(['', '  namespace: one\n', '  namespace: default\n', '  namespace: two\n'])}- {kind: User, name: web, apiGroup: rbac.authorization.k8s.io}\n${kind === '' ? '' : ''}`

/** What stands under the head of an object of a kind. */
const BODIES: Readonly<Record<string, readonly [apiVersion: string, body: (r: Random) => string]>> = {
  Deployment: [
    'apps/v1',
    (r) => `spec:\n  replicas: ${r.pick(['1', '3', '"2"'])}\n${r.chance(0.7) ? selector : ''}${template(r, '  ')}`,
  ],
  StatefulSet: [
    'apps/v1',
    (r) =>
      `spec:\n  serviceName: web\n${selector}${template(r, '  ')}  volumeClaimTemplates:\n  - metadata: {name: data${r.chance(0.5) ? ', labels: {app: web}' : ''}}\n    spec: {storageClassName: web}\n`,
  ],
  DaemonSet: ['apps/v1', (r) => `spec:\n${selector}${template(r, '  ')}`],
  ReplicaSet: ['apps/v1', (r) => `spec:\n  replicas: 1\n${template(r, '  ')}`],
  Job: ['batch/v1', (r) => `spec:\n${template(r, '  ')}`],
  CronJob: ['batch/v1', (r) => `spec:\n  schedule: "* * * * *"\n  jobTemplate:\n    spec:\n${template(r, '      ')}`],
  Pod: ['v1', (r) => `spec:\n${podSpec(r, '  ')}`],
  Service: [
    'v1',
    (r) =>
      `spec:\n  selector: {app: web}\n  ports:\n  - {port: 80, name: http, targetPort: ${r.pick(['http', '8080'])}}\n${r.chance(0.5) ? '  - port: 80\n    protocol: UDP\n' : ''}`,
  ],
  Ingress: [
    'networking.k8s.io/v1',
    (r) =>
      `spec:\n  ingressClassName: web\n  tls: [{secretName: sec, hosts: [a.b]}]\n  rules:\n  - host: ${r.pick(['a.b', '"*.c"'])}\n    http: {paths: [{path: /, backend: {service: {name: web, port: {number: 80}}}}]}\n`,
  ],
  ServiceAccount: ['v1', () => 'secrets: [{name: sec}]\nimagePullSecrets: [{name: sec}]\n'],
  Role: [
    'rbac.authorization.k8s.io/v1',
    () => 'rules: [{apiGroups: [""], resources: [secrets], resourceNames: [sec, cfg, web], verbs: [get]}]\n',
  ],
  ClusterRole: [
    'rbac.authorization.k8s.io/v1',
    () => 'rules:\n- {apiGroups: [""], resources: ["*"], resourceNames: [web], verbs: ["*"]}\n',
  ],
  RoleBinding: ['rbac.authorization.k8s.io/v1', (r) => binding('', r.pick(['Role', 'ClusterRole']), r)],
  ClusterRoleBinding: ['rbac.authorization.k8s.io/v1', (r) => binding('', 'ClusterRole', r)],
  PersistentVolume: ['v1', () => 'spec: {storageClassName: web, azureFile: {secretName: sec}}\n'],
  PersistentVolumeClaim: ['v1', () => 'spec: {storageClassName: web, volumeName: web}\n'],
  StorageClass: ['storage.k8s.io/v1', () => 'parameters: {secretName: sec, userSecretName: web}\n'],
  PriorityClass: ['scheduling.k8s.io/v1', () => 'value: 1000\n'],
  IngressClass: ['networking.k8s.io/v1', () => 'spec: {controller: x/y}\n'],
  HorizontalPodAutoscaler: [
    'autoscaling/v2',
    (r) =>
      `spec:\n  scaleTargetRef: {apiVersion: apps/v1, kind: ${r.pick(['Deployment', 'StatefulSet'])}, name: web}\n  metrics: [{type: Resource}]\n`,
  ],
  PodDisruptionBudget: ['policy/v1', () => `spec:\n  minAvailable: 50%\n${selector}`],
  NetworkPolicy: [
    'networking.k8s.io/v1',
    () =>
      'spec:\n  podSelector: {matchLabels: {app: web}}\n  ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]\n',
  ],
  Namespace: ['v1', () => ''],
  CustomResourceDefinition: [
    'apiextensions.k8s.io/v1',
    () =>
      'spec: {group: example.com, conversion: {strategy: Webhook, webhook: {clientConfig: {service: {name: web, namespace: old}}}}, versions: [{name: v1, schema: {openAPIV3Schema: {properties: {containers: {type: array}}}}}]}\n',
  ],
  APIService: ['apiregistration.k8s.io/v1', () => 'spec: {service: {name: web, namespace: old}, group: example.com}\n'],
  ValidatingWebhookConfiguration: [
    'admissionregistration.k8s.io/v1',
    () =>
      'webhooks:\n- name: a.b.c\n  clientConfig: {service: {name: web, namespace: old}}\n- name: d.e.f\n  clientConfig: {service: {name: none}}\n',
  ],
  MutatingWebhookConfiguration: [
    'admissionregistration.k8s.io/v1',
    () => 'webhooks: [{name: a.b.c, clientConfig: {service: {name: web, namespace: default, path: /x}}}]\n',
  ],
  ValidatingAdmissionPolicyBinding: ['admissionregistration.k8s.io/v1', () => 'spec: {policyName: web}\n'],
  ValidatingAdmissionPolicy: ['admissionregistration.k8s.io/v1', () => 'spec: {failurePolicy: Fail}\n'],
  Thing: [
    'example.com/v1',
    (r) =>
      `spec:\n  text: ${r.pick(['one two', '"3"', 'a:b:c', 'x.y.z', '"line\\nline"'])}\n  number: ${r.pick(['7', '1.5', '0o10', '1e3'])}\n  flag: ${r.pick(['true', 'yes'])}\n  image: nginx:1\n  secretRef: sec\n  list:\n  - {name: a, value: 1}\n  - name: b\n    value: "2"\n  names: [web, sec, cfg]\n  json: '${r.pick(['{"a": {"b": "c"}, "l": [{"name": "x", "v": 1}]}', '[1, {"a": "b"}]', '{"a":{"b":1.50,"html":"<&>"}}'])}'\n  yaml: |\n${r.pick(['    a:\n      b: c\n    l:\n    - name: x\n      v: 1\n', '    a: {b: "c"}\n    # note\n    l:\n      - name: x # here\n', '    plain text\n', '    a: b\n    ---\n    c: d\n', "    a:\n        b: 'c'\n\n    k: |\n        two\n        lines\n"])}`,
  ],
  OtherThing: [
    'example.com/v1',
    (r) =>
      `metadata2: {}\nspec: {ref: {name: web${r.chance(0.5) ? ', namespace: one' : ''}}, containers: [{name: main, image: "reg.io:5000/team/app:v2"}], nothing: null, empty: {}, none: []}\n`,
  ],
  ConfigMapList: [
    'v1',
    () =>
      'items:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: listed}\n  data: {a: b}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: listed2}}\n',
  ],
  List: [
    'v1',
    () =>
      'items:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: sec}\n  stringData: &s {p: q}\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: sec2}\n  stringData: *s\n',
  ],
  ConfigMap: [
    'v1',
    (r) =>
      `data:\n  a: ${r.pick(['b', '"1"', "'yes'", 'web.one.svc'])}\n  file.yaml: |\n    x: &anchor {y: 1}\n    z: *anchor\n  url: ${r.pick(['http://web:80/p?q=1', 'a/b/c', 'x,y,z'])}\n${r.chance(0.3) ? 'binaryData: {k: aGk=}\n' : ''}`,
  ],
}

/** What the parts of one tree share. */
export type Wide = {
  readonly r: Random
  readonly files: Files
  readonly kinds: readonly string[]
  /** What generators made so far, as `kind/name`. */
  readonly generated: Set<string>
  /** Whether the tree is meant to be built; others may go wrong anywhere. */
  readonly isCareful: boolean
}

/** The kinds that trees are made of. */
export const KINDS: readonly string[] = Object.keys(BODIES)

/** The text of an object of a kind. */
export function wideObject(r: Random, kind: string): string {
  const [apiVersion, body] = BODIES[kind] ?? ['v1', () => '']
  if (kind.endsWith('List')) return `apiVersion: ${apiVersion}\nkind: ${kind}\n${body(r)}`
  const name =
    kind === 'ConfigMap'
      ? 'cfg'
      : kind === 'CustomResourceDefinition'
        ? 'things.example.com'
        : r.chance(0.1)
          ? 'db'
          : 'web'
  const namespace = r.chance(0.12) ? `  namespace: ${r.pick(['one', 'default', 'two', '""'])}\n` : ''
  const labels = r.chance(0.5) ? `  labels: {app: web${r.chance(0.3) ? ', v: 1' : ''}}\n` : ''
  const annotations = r.chance(0.15)
    ? `  annotations:\n    ${r.pick(['config.kubernetes.io/local-config: "true"', 'nginx.ingress.kubernetes.io/auth-secret: sec', 'kustomize.config.k8s.io/needs-hash: "true"', 'n: 1.0', 'kustomize.config.k8s.io/behavior: merge', 'internal.config.kubernetes.io/index: "3"', 'config.kubernetes.io/index: "0"'])}\n`
    : ''
  const head = `apiVersion: ${apiVersion}\nkind: ${kind}\n`
  return `${head}metadata:\n  name: ${name}\n${namespace}${labels}${annotations}${body(r)}`
}
