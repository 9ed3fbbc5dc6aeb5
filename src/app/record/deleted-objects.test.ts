import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldFacts } from '../../../tests/support/fold-facts.ts'
import type { Fact, FactBody } from '../../pipeline/record/fact.ts'
import { neededImages } from '../../pipeline/record/needed-images.ts'
import { reportDeleted } from './deleted-objects.ts'

const build = (name: string): Fact => ({
  ...{ at: '2026-01-01T00:00:00Z', kind: 'build', kustomization: `flux-system/${name}`, revision: 'main@sha1:abc' },
  ...{ ok: true, workloads: [{ namespace: name, name: 'web', images: ['r/web:1.0.0'] }] },
})
const kustomization = (name: string) => ({
  ...{ apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' },
  metadata: { namespace: 'flux-system', name },
})

test('at a start the Kustomizations that are no more are told, once, and pin no image any longer', () => {
  const facts = ['production', 'staging', 'old'].map(build)
  const told: FactBody[] = []
  const record = { ledger: () => foldFacts(facts), report: (fact: FactBody) => void told.push(fact) }
  const cluster = (...names: readonly string[]) => ({
    ...{ kustomizations: names.map(kustomization), policies: [], automations: [] },
  })
  reportDeleted(cluster('staging', 'production', 'new'), record)
  assert.deepEqual(told, [{ kind: 'deletion', kustomization: 'flux-system/old' }])
  facts.push(...told.map((fact) => ({ ...fact, at: '2026-01-01T00:00:01Z' })))
  reportDeleted(cluster('staging', 'production'), record)
  assert.equal(told.length, 1)
  const places = neededImages(record.ledger(), 'r').map(({ by }) => by.split(' ').at(-1))
  assert.deepEqual(places, ['production/web', 'staging/web'])
})

test('at a start the ImagePolicies and automations that are no more are told, once, and stop nothing any longer', () => {
  const named = (kind: string, name: string) => ({ apiVersion: 'v1', kind, metadata: { namespace: 'apps', name } })
  const policy = (name: string): Fact => ({
    ...{ at: '2026-01-01T00:00:00Z', kind: 'policy', policy: `apps/${name}`, image: `r/${name}`, tag: '' },
    ...{ considered: 0, cause: 'no tags' },
  })
  const markers = (name: string): Fact => ({
    ...{ at: '2026-01-01T00:00:00Z', kind: 'markers', automation: `apps/${name}`, choices: [], cause: 'suspended' },
  })
  const facts = [policy('web'), policy('old'), markers('all'), markers('former')]
  const told: FactBody[] = []
  const record = { ledger: () => foldFacts(facts), report: (fact: FactBody) => void told.push(fact) }
  const cluster = {
    kustomizations: [],
    policies: [named('ImagePolicy', 'web'), named('ImagePolicy', 'new')],
    automations: [named('ImageUpdateAutomation', 'all')],
  }
  reportDeleted(cluster, record)
  assert.deepEqual(told, [
    { kind: 'deletion', policy: 'apps/old' },
    { kind: 'markers', automation: 'apps/former', choices: [] },
  ])
  facts.push(...told.map((fact) => ({ ...fact, at: '2026-01-01T00:00:01Z' })))
  reportDeleted(cluster, record)
  assert.equal(told.length, 2)
  const { policyCauses, markers: followed } = record.ledger()
  assert.deepEqual([[...policyCauses.keys()], [...followed.keys()]], [['apps/web'], ['apps/all']])
})
