import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, kubedOfFile } from '../../../../tests/support/kubed.ts'
import { at, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { Environment } from '../environment.ts'
import type { Obj } from '../object.ts'
import { endWithLast } from './definitions.ts'

const { ask } = kubedOfFile()

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

function define(group: string, plural: string, kind: string): Promise<Answer> {
  const schema = { openAPIV3Schema: { type: 'object' } }
  const versions = [{ name: 'v1', served: true, storage: true, schema }]
  const spec = { group, scope: 'Cluster', names: { plural, kind }, versions }
  return ask('POST', DEFINITIONS, { metadata: { name: `${plural}.${group}` }, spec })
}

const conditionsOf = ({ body }: Answer): string[] =>
  objectsOf(at(body, 'status', 'conditions')).map(({ type, status, reason }) => [type, status, reason].join(' '))
const namesIn = ({ body }: Answer): string[] =>
  objectsOf(body.items).map(({ metadata }) => stringOf(objectOf(metadata).name))

test('a definition stays until the finalizers of its objects are done', async () => {
  const one = `${DEFINITIONS}/orbs.a.io`
  const orbs = '/apis/a.io/v1/orbs'
  await define('a.io', 'orbs', 'Orb')
  await ask('POST', orbs, { apiVersion: 'a.io/v1', kind: 'Orb', metadata: { name: 'held', finalizers: ['x.y/z'] } })
  await ask('POST', orbs, { apiVersion: 'a.io/v1', kind: 'Orb', metadata: { name: 'free' } })

  const shown = await ask('DELETE', `${one}?dryRun=All`)
  assert.deepEqual(at(shown.body, 'metadata', 'finalizers'), ['customresourcecleanup.apiextensions.k8s.io'])
  assert.deepEqual(namesIn(await ask('GET', orbs)), ['free', 'held'])

  const ending = await ask('DELETE', one)
  assert.equal(conditionsOf(ending)[2], 'Terminating True InstanceDeletionPending')
  assert.equal(conditionsOf(await ask('GET', one))[2], 'Terminating True InstanceDeletionInProgress')
  assert.deepEqual(namesIn(await ask('GET', orbs)), ['held'])
  const refused = await ask('POST', orbs, { apiVersion: 'a.io/v1', kind: 'Orb', metadata: { name: 'new' } })
  assert.deepEqual(
    [refused.code, refused.body.message],
    [403, 'orbs.a.io "new" is forbidden: create not allowed while custom resource definition is terminating'],
  )
  const [{ verbs } = {}] = objectsOf((await ask('GET', '/apis/a.io/v1')).body.resources)
  assert.deepEqual(verbs, ['delete', 'deletecollection', 'get', 'list', 'watch'])

  await ask('PATCH', `${orbs}/held`, { metadata: { finalizers: null } })
  assert.deepEqual([(await ask('GET', one)).code, (await ask('GET', orbs)).code], [404, 404])
})

test('a definition is served by its names, or once another gives them up', async () => {
  await define('b.io', 'orbs', 'Orb')
  const late = await define('b.io', 'orbz', 'Orb')
  assert.equal(late.code, 201)
  assert.deepEqual(conditionsOf(await ask('GET', `${DEFINITIONS}/orbz.b.io`)), [
    'NamesAccepted False ListKindConflict',
    'Established False NotAccepted',
  ])
  assert.equal((await ask('GET', '/apis/b.io/v1/orbz')).code, 404)
  await ask('DELETE', `${DEFINITIONS}/orbs.b.io`)
  assert.deepEqual(conditionsOf(await ask('GET', `${DEFINITIONS}/orbz.b.io`)), [
    'NamesAccepted True NoConflicts',
    'Established True InitialNamesAccepted',
  ])
  assert.equal((await ask('GET', '/apis/b.io/v1/orbz')).code, 200)
})

test('another definition than the one that is meant stays', async () => {
  await define('c.io', 'orbs', 'Orb')
  const refused = await ask('DELETE', `${DEFINITIONS}/orbs.c.io`, { preconditions: { resourceVersion: '1' } })
  assert.equal(refused.code, 409)
  assert.match(
    stringOf(refused.body.message),
    /: precondition failed: ResourceVersion in precondition: 1, ResourceVersion in object meta: \d+$/,
  )
})

test('an object of an ending definition goes without a look at those that are left', () => {
  const orb: Obj = { apiVersion: 'a.io/v1', kind: 'Orb', metadata: { name: 'one' } }
  const definition = { spec: { group: 'a.io', names: { plural: 'orbs' } } }
  const store = {
    get: () => definition,
    isEmpty: (place: string) => place !== 'a.io/orbs',
    list: () => assert.fail('goes through all objects'),
  }
  const custom = { definition: 'orbs.a.io', isEnding: true }
  const registry = { allCustom: () => [{ group: 'a.io', kind: 'Orb', custom }] }
  const env = { store, registry, nowMs: () => 0 } as unknown as Environment
  assert.equal(endWithLast(env, orb), false)
})
