import { compare, type Difference, type Pair } from './compare.ts'
import { setTimeout as wait } from 'node:timers/promises'
import { SPACE } from './seed.ts'
import { sequenceOf } from './sequence.ts'
import type { Ask } from './server-pair.ts'
import { until } from '../../support/wait.ts'

const TEXT = { type: 'string' }
const SPEC = {
  type: 'object',
  properties: {
    replicas: { type: 'integer' },
    tags: { type: 'array', items: TEXT, 'x-kubernetes-list-type': 'set' },
    whole: { type: 'array', items: TEXT, 'x-kubernetes-list-type': 'atomic' },
    parts: {
      type: 'array',
      items: {
        type: 'object',
        required: ['id'],
        properties: { id: TEXT, size: { type: 'integer', default: 7 }, note: TEXT },
      },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['id'],
    },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    sealed: { type: 'object', additionalProperties: TEXT, 'x-kubernetes-map-type': 'atomic' },
  },
}

/** A custom kind with every way of merging. */
const THING = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `things.${SPACE}.example.com` },
  spec: {
    group: `${SPACE}.example.com`,
    scope: 'Namespaced',
    names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: SPEC,
              status: { type: 'object', properties: { replicas: { type: 'integer' }, note: TEXT } },
            },
          },
        },
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
        },
      },
    ],
  },
}

const BROKEN = /\n {4}real: {2}0 /

/** Sequences that run at once. */
const AT_ONCE = 8

/** Waits until the custom kind can be asked for and is described, and a second more: the real server takes a while to publish all of it. */
async function isServed(server: Pair['kubed']): Promise<void> {
  const group = `apis/${SPACE}.example.com/v1`
  for (const path of [`/${group}/namespaces/${SPACE}/things`, `/${group}`, `/openapi/v3/${group}`])
    await until(path, async () => (await server.send({ method: 'GET', path })).code === 200)
  await wait(1000)
}

/** Makes the namespace of all sequences, and their custom kind. */
export async function prepareSpace({ kubed, real }: Pair): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: SPACE } }
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  for (const server of [kubed, real]) {
    await server.send({ method: 'POST', path: '/api/v1/namespaces', body })
    await server.send({ method: 'POST', path, body: THING })
    await isServed(server)
  }
}

/** Runs sequences on both servers; answers the first difference of each in which they part. */
export async function runSequences(
  pair: Pair,
  seeds: readonly number[],
  make: (seed: number) => readonly Ask[] = sequenceOf,
): Promise<(Difference & { readonly seed: number })[]> {
  const out: (Difference & { readonly seed: number })[] = []
  const queue = seeds.values()
  const work = async (): Promise<void> => {
    for (const seed of queue) {
      const found = await firstDifference(pair, make(seed))
      if (found !== undefined) out.push({ seed, ...found })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return out
}

async function firstDifference(pair: Pair, asks: readonly Ask[]): Promise<Difference | undefined> {
  for (const ask of asks) {
    const found = await compare(pair, `${ask.method} ${ask.path}`, ask)
    // What makes the real server break the connection cannot be compared.
    if (found !== undefined) return BROKEN.test(found.why) ? undefined : found
  }
  return undefined
}
