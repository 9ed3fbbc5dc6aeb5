import type { Random } from './generate-tree.ts'

/** What an object may be called; some of them are no text to YAML until they stand in quotes. */
const ODD_NAMES = ['web', 'web', 'web', '"010"', 'web.v1', '"1.5"', '"true"', 'a-b']

/** The text of one manifest file of the tree, and the ids of what is in it. */
export type Manifest = { readonly text: string; readonly ids: readonly Id[] }

/** How patches and selectors name an object. */
export type Id = { readonly apiVersion: string; readonly kind: string; readonly name: string }

type Kind = { readonly apiVersion: string; readonly body: (r: Random) => string }

const POD = (r: Random, pad: string): string =>
  [
    'serviceAccountName: sa',
    ...(r.chance(0.3) ? ['restartPolicy: Always'] : []),
    'containers:',
    '- name: main',
    `  image: ${r.pick(['nginx:1.0', 'nginx', '"registry.local:5000/a/b/nginx:1@sha256:aa"', 'docker.io/library/nginx', "'nginx:1.0 '", '""', 'null', '12', 'nginx:1.0@sha512:bb'])}`,
    '  command: [run, "$(NAME)", "$$(NAME)", "$(NONE)$(NAME)x", $(NAME]',
    '  env:',
    '  - {name: A, value: a}',
    '  - {name: B, valueFrom: {configMapKeyRef: {name: made, key: a}}}',
    ...(r.chance(0.4) ? ['  - {name: A, value: again}'] : []),
    ...(r.chance(0.3) ? ['  - {value: nameless}'] : []),
    '  envFrom: [{secretRef: {name: hidden}}, {configMapRef: {name: made, optional: true}}]',
    ...(r.chance(0.5)
      ? [
          '  ports: [{containerPort: 80, protocol: TCP}, {containerPort: 80, protocol: UDP}, {name: x, containerPort: 81}]',
        ]
      : []),
    ...(r.chance(0.4) ? ['  volumeMounts: [{mountPath: /a, name: v}, {mountPath: /b, name: v, readOnly: true}]'] : []),
    ...(r.chance(0.4) ? ['- {name: side, image: busybox, args: []}'] : []),
    ...(r.chance(0.3) ? ['ephemeralContainers: [{name: debug, image: nginx}]'] : []),
    ...(r.chance(0.3) ? ['tolerations: [{key: a, operator: Exists}, {key: b}]'] : []),
    ...(r.chance(0.5)
      ? ['volumes: [{name: v, configMap: {name: made}}, {name: s, secret: {secretName: hidden}}]']
      : []),
  ]
    .map((line) => `${pad}${line}\n`)
    .join('')

const KINDS: Readonly<Record<string, Kind>> = {
  Deployment: {
    apiVersion: 'apps/v1',
    body: (r) =>
      `spec:\n  replicas: ${r.pick(['1', '"1"', 'null', '1.0', '0x2'])}\n  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}\n  selector: {matchLabels: {app: web}, matchExpressions: [{key: app, operator: Exists}]}\n  template:\n    metadata: {labels: {app: web}, finalizers: [a/b, c/d]}\n    spec:\n${POD(r, '      ')}`,
  },
  CronJob: {
    apiVersion: 'batch/v1',
    body: (r) =>
      `spec:\n  schedule: '@daily'\n  jobTemplate:\n    spec:\n      template:\n        spec:\n${POD(r, '          ')}`,
  },
  Service: {
    apiVersion: 'v1',
    body: (r) =>
      `spec:\n  selector: {app: web}\n  ports:\n  - port: 80\n    targetPort: ${r.pick(['8080', 'http', '"8080"'])}\n  - {port: 443, protocol: TCP, name: tls}\n  - {port: 443, protocol: UDP, name: quic}\n`,
  },
  ConfigMap: {
    apiVersion: 'v1',
    body: (r) =>
      `data:\n  a: ${r.pick(['x', '"1"', 'a:b:c', '"multi\\nline"', "''"])}\n  doc.json: '${r.pick(['{"a": {"b": [1, 2]}}', '[]', '{"a": "b"'])}'\n  doc.yaml: |\n    ${r.pick(['a: {b: c}', 'a: [1, 2]', '- x', 'text', 'a: b # note'])}\n${r.chance(0.2) ? '  1: number\n' : ''}${r.chance(0.2) ? '  "2": text\n' : ''}${r.chance(0.2) ? 'binaryData: {bin: "AAEC"}\n' : ''}${r.chance(0.2) ? 'immutable: true\n' : ''}`,
  },
  Secret: {
    apiVersion: 'v1',
    body: (r) => `${r.pick(['stringData: {a: b}\n', 'data: {a: Yg==}\n', 'data:\ntype: Opaque\n'])}`,
  },
  ServiceAccount: { apiVersion: 'v1', body: () => 'imagePullSecrets: [{name: hidden}]\n' },
  RoleBinding: {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    body: (r) =>
      `roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ${r.pick(['Role', 'ClusterRole'])}, name: web}\nsubjects: [{kind: ServiceAccount, name: ${r.pick(['sa', 'default', 'web'])}${r.pick(['', ', namespace: one', ', namespace: default'])}}]\n`,
  },
  Role: {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    body: () => 'rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]\n',
  },
  Namespace: { apiVersion: 'v1', body: () => 'spec: {finalizers: [kubernetes]}\n' },
  PersistentVolumeClaim: {
    apiVersion: 'v1',
    body: () => 'spec: {storageClassName: web, resources: {requests: {storage: 1Gi}}}\n',
  },
  NetworkPolicy: {
    apiVersion: 'networking.k8s.io/v1',
    body: () => 'spec: {podSelector: {}, egress: [{to: [{podSelector: {matchLabels: {app: web}}}]}]}\n',
  },
  ValidatingWebhookConfiguration: {
    apiVersion: 'admissionregistration.k8s.io/v1',
    body: () => 'webhooks: [{name: a.b.c, clientConfig: {service: {name: web, namespace: one}}}, {name: d.e.f}]\n',
  },
  CustomResourceDefinition: {
    apiVersion: 'apiextensions.k8s.io/v1',
    body: () =>
      'spec: {group: example.com, names: {kind: Widget}, conversion: {webhook: {clientConfig: {service: {name: web, namespace: two}}}}}\n',
  },
  Widget: {
    apiVersion: 'example.com/v1',
    body: (r) =>
      `spec:\n  size: ${r.pick(['1', '1.50', '"1"', '1e3', '0o7', '1_0'])}\n  on: ${r.pick(['yes', 'true', '"no"'])}\n  when: ${r.pick(['2001-01-01', '2001-01-01T00:00:00Z', '"2001-01-01"', '12:30:45'])}\n  ref: {name: made, key: a}\n  items:\n  - {id: 1, v: a}\n  - {id: 2, v: b}\n  - id: "3"\n    nested: [[1, 2], {x: [y]}]\n  texts: [a, b:c, "d e", '1', ~]\n  map: {a.b: 1, "c/d": {e: f}, 8080: port}\n  block: >-\n    one\n    two\n\n    three\n  shared: &s {p: q}\n  again: *s\n  merged: {<<: *s, r: t}\n  template: {spec: {containers: [{name: main, image: "nginx:crd"}]}}\n`,
  },
}

function metadata(r: Random, name: string): string {
  const parts = [`  name: ${name}\n`]
  if (r.chance(0.15)) parts.push(`  namespace: ${r.pick(['one', 'default', '"1"', '""', 'null'])}\n`)
  if (r.chance(0.5))
    parts.push(
      `  labels: ${r.pick(['{app: web}', '{app: web, n: 1, yes: no}', '{}', '{"1": a}', '{app: "web", empty: }'])}\n`,
    )
  if (r.chance(0.35))
    parts.push(
      `  annotations: ${r.pick(['{a: b}', '{a: 1, b: true, c: null}', '{"long": "word word word word word word word word word word word word word word word word word word"}', '{}', '{kustomize.config.k8s.io/behavior: merge}', '{config.kubernetes.io/local-config: "true"}', '{config.kubernetes.io/local-config: "false"}', '{"1": a}', '{x: "a\\nb"}'])}\n`,
    )
  if (r.chance(0.1))
    parts.push(
      `  ${r.pick(['generateName: x-', 'uid: 12', 'creationTimestamp: null', 'finalizers: [x/y, z/w]', 'ownerReferences: [{uid: a, name: web, kind: Deployment}]'])}\n`,
    )
  return parts.join('')
}

/** A file with a few objects, now and then with something odd about it. */
export function richManifest(r: Random, isOdd: boolean): Manifest {
  const chosen = Object.keys(KINDS).filter(() => r.chance(0.3))
  const kinds = chosen.length > 0 ? chosen : ['Deployment']
  const ids: Id[] = []
  const texts = kinds.map((kind) => {
    const { apiVersion, body } = KINDS[kind] ?? { apiVersion: 'v1', body: () => '' }
    const name = isOdd ? r.pick(ODD_NAMES) : kind === 'ServiceAccount' ? 'sa' : 'web'
    ids.push({ apiVersion, kind, name: name.replaceAll('"', '') })
    return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n${metadata(r, name)}${body(r)}`
  })
  if (isOdd && r.chance(0.25)) texts.splice(Math.floor(r.next() * texts.length), 0, r.pick(ODD_DOCUMENTS))
  const text = texts.join(r.pick(['---\n', '---\n', '--- # next\n', '\n---\n\n', '...\n---\n']))
  if (r.chance(0.1)) return { text: text.replaceAll('\n', '\r\n'), ids }
  return { text: r.chance(0.1) ? `\ufeff${text}` : r.chance(0.1) ? `%YAML 1.1\n---\n${text}` : text, ids }
}

const ODD_DOCUMENTS = [
  '# nothing\n',
  '',
  'null\n',
  '{}\n',
  'just text\n',
  '- a\n- b\n',
  'apiVersion: v1\nkind: ConfigMap\n',
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n',
  'kind: ConfigMap\nmetadata: {name: noversion}\n',
  'apiVersion: v1\nmetadata: {name: nokind}\n',
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: twice}\ndata: {a: b, a: c}\n',
  'apiVersion: v1\nkind: ConfigMapList\nmetadata: {name: named}\nitems: []\n',
  'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: deep}}]}\n',
  'apiVersion: v1\nkind: List\nmetadata: {resourceVersion: ""}\nitems: null\n',
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 12}\n',
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [a]}\n',
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: {b: c}}\n',
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: anno, annotations: [a]}\n',
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: nested, annotations: {a: {b: c}}}\n',
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tab}\ndata:\n\ta: b\n',
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: alias}\ndata: {a: *none}\n',
  'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata: {name: k}\nresources: []\n',
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: inf}\ndata: {a: .inf}\n',
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n',
  '"apiVersion": "v1"\n"kind": "ConfigMap"\n"metadata": {"name": "json", "labels": null}\n',
] as const
