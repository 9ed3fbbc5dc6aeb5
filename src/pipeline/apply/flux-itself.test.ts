import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseKustomization } from '../../kinds/kustomization.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { isLeftAlone, isNeverPruned, type Stance } from './flux-itself.ts'

const sync = (spec: object = {}) =>
  parseKustomization({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'flux-system', namespace: 'flux-system' },
    spec: { interval: '1h', prune: true, sourceRef: { kind: 'GitRepository', name: 'flux-system' }, ...spec },
  })
const deployment = (name: string, image: string, annotations = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'flux-system', annotations },
  spec: { template: { spec: { containers: [{ name: 'manager', image }] } } },
})
const definition = (name: string): KubeObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name },
})
const source = deployment('source-controller', 'ghcr.io/fluxcd/source-controller:v1.9.4')
const kinds = definition('gitrepositories.source.toolkit.fluxcd.io')
const elsewhere = sync({ kubeConfig: { secretRef: { name: 'other' } } })
const override = { 'kustomize.toolkit.fluxcd.io/ssa': 'Override' }

const cases: { it: string; object: KubeObject; want: boolean; stance?: Partial<Stance>; of?: typeof elsewhere }[] = [
  { it: 'a controller of Flux', object: source, want: true },
  {
    it: 'one from a mirror, by digest',
    object: deployment('image-automation-controller', 'r.example:5000/a/image-automation-controller@sha256:ab'),
    want: true,
  },
  { it: 'one that runs something else', object: deployment('source-controller', 'example/other:1'), want: false },
  {
    it: 'the controller of kinds that the engine does not serve',
    object: deployment('helm-controller', 'ghcr.io/fluxcd/helm-controller:v1.5.0'),
    want: false,
  },
  {
    it: 'one that is asked for in words',
    object: deployment('source-controller', 'a/source-controller', override),
    want: false,
  },
  { it: 'one for another cluster', object: source, of: elsewhere, want: false },
  { it: 'one, with the traps of Flux', object: source, stance: { traps: 'flux' }, want: true },
  { it: 'the definition of a kind of ours', object: kinds, want: true },
  { it: 'it, where somebody else installs the kinds', object: kinds, stance: { installsCrds: false }, want: false },
  { it: 'the definition of another kind', object: definition('helmreleases.helm.toolkit.fluxcd.io'), want: false },
]
for (const { it, object, want, stance, of = sync() } of cases)
  test(`${want ? 'left alone is' : 'applied is'} ${it}`, () =>
    assert.equal(isLeftAlone({ traps: 'safe', installsCrds: true, ...stance }, of, object), want))

const ref = (kind: string, name: string, apiVersion = 'v1') => ({ apiVersion, kind, namespace: '', name })
const prunes: {
  it: string
  kind: string
  name: string
  want: boolean
  stance?: Partial<Stance>
  apiVersion?: string
}[] = [
  { it: 'the definition of a kind of ours', kind: 'CustomResourceDefinition', name: kinds.metadata.name, want: true },
  {
    it: 'it, with the traps of Flux',
    kind: 'CustomResourceDefinition',
    name: kinds.metadata.name,
    want: true,
    stance: { traps: 'flux' },
  },
  { it: 'its own namespace', kind: 'Namespace', name: 'flux-system', want: true },
  {
    it: 'its own namespace, with the traps of Flux',
    kind: 'Namespace',
    name: 'flux-system',
    want: false,
    stance: { traps: 'flux' },
  },
  {
    it: 'what another group calls a namespace',
    kind: 'Namespace',
    name: 'flux-system',
    apiVersion: 'example.com/v1',
    want: false,
  },
  { it: 'another namespace', kind: 'Namespace', name: 'apps', want: false },
  { it: 'another definition', kind: 'CustomResourceDefinition', name: 'apps.example.com', want: false },
  { it: 'a controller of Flux that left Git', kind: 'Deployment', name: 'source-controller', want: false },
]
for (const { it, kind, name, want, stance, apiVersion } of prunes)
  test(`${want ? 'never pruned is' : 'pruned is'} ${it}`, () =>
    assert.equal(
      isNeverPruned({ traps: 'safe', installsCrds: true, ...stance }, sync(), ref(kind, name, apiVersion)),
      want,
    ))
