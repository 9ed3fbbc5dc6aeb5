import assert from 'node:assert/strict'
import { test } from 'node:test'
import { treeOfFiles } from '../../lib/kustomize/files/tree.ts'
import { buildKustomization } from '../build/build-kustomization.ts'
import { placeRefusal } from './place-refusal.ts'

const files = {
  'kustomization.yaml': 'namespace: staging\nresources: [web.yaml, flux.yaml, made.yaml]\n',
  'web.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replica: 3
  template:
    spec:
      containers:
        - name: side
        - name: web
          containrPort: 80
          ports:
            - containerPort: 99
              protocol: TCP
              hostPart: 1
`,
  'flux.yaml': `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
spec:
  prun: true
`,
  'made.yaml': 'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  ports:\n    - port: 800000\n',
}
const { trees } = buildKustomization({
  tree: treeOfFiles(new Map(Object.entries(files).map(([name, text]) => [`/${name}`, text]))),
  path: './',
  spec: {},
  origin: true,
})

const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'staging', name: 'web' }
const service = { apiVersion: 'v1', kind: 'Service', namespace: 'staging', name: 'web' }
const flux = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', namespace: 'staging', name: 'apps' }

const cases: { it: string; ref?: typeof deployment; says: string; want: string | undefined }[] = [
  {
    it: 'a field that the kind does not have',
    says: 'Deployment/staging/web dry-run failed: failed to create typed patch object (staging/web; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema\n',
    want: '/web.yaml:5:3 did you mean "replicas"?',
  },
  {
    it: 'a field of an item of a list, by its key',
    says: 'x: .spec.template.spec.containers[name="web"].containrPort: field not declared in schema',
    want: '/web.yaml:11:11 check the spelling and the indentation',
  },
  {
    it: 'an unknown field of an item by a key that the server filled in',
    says: '.spec.template.spec.containers[name="web"].ports[protocol="UDP"].hostPart: field not declared in schema',
    want: '/web.yaml:15:15 did you mean "hostPort"?',
  },
  {
    it: 'an item by several keys',
    says: '.spec.template.spec.containers[name="web"].ports[containerPort=99,protocol="TCP"].hostIP: expected string',
    want: '/web.yaml:13:15',
  },
  {
    it: 'an item by its position',
    ref: service,
    says: 'Service/staging/web dry-run failed (Invalid): Service "web" is invalid: spec.ports[0].port: Invalid value: 800000: must be between 1 and 65535',
    want: '/made.yaml:7:7',
  },
  {
    it: 'what holds the field that is missing',
    says: 'Deployment.apps "web" is invalid: spec.template.spec.containers[0].image: Required value',
    want: '/web.yaml:9:11',
  },
  {
    it: 'the deepest of several',
    says: 'is invalid: [spec.selector: Required value, spec.template.spec.containers[0].image: Required value]',
    want: '/web.yaml:9:11',
  },
  {
    it: 'the field of a custom resource',
    ref: flux,
    says: '.spec.prun: field not declared in schema',
    want: '/flux.yaml:6:3',
  },
  {
    it: 'the namespace, where it was set',
    says: 'namespaces "staging" not found',
    want: '/kustomization.yaml:1:1 put a Namespace staging beside its objects in Git, or name one that is there',
  },
  { it: 'the object, where no field is named', says: 'denied by a webhook: no', want: '/web.yaml:1:1' },
  {
    it: 'nothing, for what the build does not have',
    ref: { ...service, name: 'other' },
    says: '.spec: x',
    want: undefined,
  },
]
for (const { it, ref = deployment, says, want } of cases)
  test(`a refusal is placed at ${it}`, () => {
    const place = placeRefusal(trees, ref, says)
    assert.equal(place && [place.where, place.hint].filter(Boolean).join(' '), want)
  })

test('a long refusal is placed in bounded time', () => {
  const says = `.spec.${'a['.repeat(200_000)}: x`
  assert.equal(placeRefusal(trees, deployment, says)?.where, '/web.yaml:1:1')
})
