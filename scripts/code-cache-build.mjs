// Writes V8's cache of the bundled command `build`: the functions that building a small tree of most features compiles. scripts/build.mjs runs it
// as a process of its own: `node code-cache-build.mjs BUILD-MODULE CACHE`.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const TREE = {
  'base/kustomization.yaml': `resources: [app.yaml, service.yaml]
configMapGenerator:
- name: config
  literals: [MODE=production]
secretGenerator:
- name: secret
  literals: [PASSWORD=none]
`,
  'base/app.yaml': `# a comment
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
  labels: {app: app, tier: "1"}
spec:
  replicas: 1
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
      - name: app
        image: registry.local/app:1.0.0
        args:
        - 'single'
        - |
          several
          lines
        ports: [{containerPort: 8080}]
        envFrom: [{configMapRef: {name: config}}, {secretRef: {name: secret}}]
`,
  'base/service.yaml': `apiVersion: v1
kind: Service
metadata:
  name: app
spec:
  selector: {app: app}
  ports:
  - port: 80
    targetPort: 8080
`,
  'overlay/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: somewhere
namePrefix: pre-
nameSuffix: -suf
resources: [../base]
labels:
- pairs: {team: a}
  includeSelectors: true
commonAnnotations: {note: "true"}
images:
- name: registry.local/app
  newTag: 2.0.0
replicas:
- name: app
  count: 3
configMapGenerator:
- name: config
  behavior: merge
  literals: [LEVEL=debug]
patches:
- patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: app
    spec:
      template:
        spec:
          containers:
          - name: app
            resources: {limits: {memory: 64Mi}}
- target: {kind: Service, labelSelector: team!=b}
  patch: |-
    - op: replace
      path: /spec/ports/0/port
      value: 81
replacements:
- source: {kind: Service, fieldPath: metadata.name}
  targets:
  - select: {kind: Deployment}
    fieldPaths: [metadata.annotations.service]
    options: {create: true}
`,
}

const [module, target] = process.argv.slice(2)
const root = mkdtempSync(join(tmpdir(), 'sluice-code-cache-'))
try {
  for (const [path, text] of Object.entries(TREE)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const { script, runAlone } = await import(pathToFileURL(module))
  const said = []
  const say = (text) => said.push(text)
  const io = { out: say, err: say, env: {}, cwd: root, isTty: false, signal: new AbortController().signal }
  if ((await runAlone(['build', join(root, 'overlay')], io)) !== 0) throw new Error(said.join('\n'))
  writeFileSync(target, script.createCachedData())
} finally {
  rmSync(root, { recursive: true })
}
