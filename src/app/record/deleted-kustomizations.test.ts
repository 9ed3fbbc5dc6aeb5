import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fact, FactBody } from '../../pipeline/record/fact.ts'
import { foldFacts } from '../../pipeline/record/fold.ts'
import { neededImages } from '../../pipeline/record/needed-images.ts'
import { reportDeleted } from './deleted-kustomizations.ts'

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
  reportDeleted(['staging', 'production', 'new'].map(kustomization), record)
  assert.deepEqual(told, [{ kind: 'deletion', kustomization: 'flux-system/old' }])
  facts.push(...told.map((fact) => ({ ...fact, at: '2026-01-01T00:00:01Z' })))
  reportDeleted(['staging', 'production'].map(kustomization), record)
  assert.equal(told.length, 1)
  const places = neededImages(record.ledger(), 'r').map(({ by }) => by.split(' ').at(-1))
  assert.deepEqual(places, ['production/web', 'staging/web'])
})
