import { type Random, randomFrom } from '../random.ts'
import { type Mutation, mutationsOf } from './mutations.ts'
import type { Seed } from './seed.ts'
import { SEEDS } from './seeds.ts'
import type { Ask } from './server-pair.ts'

type Tree = Record<string, unknown>

const MANAGERS = ['a', 'b', 'c']
const LABELS = [{}, { a: 'x' }, { a: 'y', 'b.c/d': 'z' }, { b: null }]
const OWNERS = ['u1', 'u2', 'u1'].map((uid) => ({ apiVersion: 'v1', kind: 'ConfigMap', name: `of-${uid}`, uid }))
const PATCHES: Readonly<Record<string, string>> = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
}
/** Of a hundred writes. */
const SHARES: readonly (readonly [kind: string, share: number])[] = [
  ['apply', 42],
  ['status apply', 6],
  ['status merge', 6],
  ['merge', 14],
  ['strategic', 10],
  ['json', 8],
  ['put', 9],
  ['delete', 2],
  ['create', 3],
]

/** Kinds that keep others from being written, or that their own servers look after. */
const APART =
  /Webhook|AdmissionPolicy|ResourceQuota|LimitRange|FlowSchema|PriorityLevel|APIService|CustomResourceDefinition|ServiceCIDR|IPAddress|^ClusterRole$/
const KINDS = SEEDS.filter(({ object }) => !APART.test(String(object['kind'])))

/** The writes of a seed to an object of some built-in kind. */
export function kindSequenceOf(seed: number): Ask[] {
  const random = randomFrom(seed)
  return writesOf(random.pick(KINDS), random, `w-${seed}`)
}

/**
 * Writes of several managers to one object of a kind, of which each says a part of its seed, sometimes with something odd: all
 * ways of writing, by force or not, dry or not, with versions that are right, wrong or not said.
 */
function writesOf(seed: Seed, random: Random, name: string, length = 8): Ask[] {
  const odd = mutationsOf(seed.object)
  return Array.from({ length }, (_, index) => writeOf(seed, odd, random, name, index === 0))
}

function writeOf(seed: Seed, odd: readonly Mutation[], random: Random, name: string, isFirst: boolean): Ask {
  const chance = (percent: number): boolean => random.below(100) < percent
  const kind = isFirst ? random.pick(['apply', 'apply', 'create']) : shared(random)
  const query = new URLSearchParams({ fieldManager: random.pick(MANAGERS) })
  if (chance(8)) query.set('dryRun', 'All')
  if (chance(15)) query.set('fieldValidation', random.pick(['Strict', 'Ignore', 'Warn']))
  const source = chance(20) ? (random.pick(odd).object as Tree) : seed.object
  const body: Tree = { ...partOf(source, random, isFirst ? 8 : 35), metadata: metadataOf(random, name, kind) }
  const at = `${seed.path}/${name}${kind.startsWith('status') ? '/status' : ''}`
  if (kind === 'create') return { method: 'POST', path: `${seed.path}?${query}`, body }
  if (kind === 'delete') return { method: 'DELETE', path: at, body: deleteOptions(random) }
  if (kind === 'put') return { method: 'PUT', path: `${at}?${query}`, body }
  if (kind.endsWith('apply')) {
    if (chance(50)) query.set('force', 'true')
    return { method: 'PATCH', path: `${at}?${query}`, contentType: 'application/apply-patch+yaml', body }
  }
  const [way = ''] = kind.split(' ').reverse()
  const patch = way === 'json' ? random.pick(odd).patch : kind.startsWith('status') ? { status: body['status'] } : body
  return { method: 'PATCH', path: `${at}?${query}`, contentType: PATCHES[way] ?? '', body: patch }
}

function shared(random: Random): string {
  let left = random.below(100)
  for (const [kind, share] of SHARES) if ((left -= share) < 0) return kind
  return 'apply'
}

function metadataOf(random: Random, name: string, kind: string): Tree {
  const chance = (percent: number): boolean => random.below(100) < percent
  return {
    ...(kind.includes('merge') || kind === 'strategic' ? {} : { name }),
    ...(chance(20) ? { labels: random.pick(LABELS) } : {}),
    ...(chance(15) ? { annotations: random.pick(LABELS) } : {}),
    ...(chance(10) ? { finalizers: random.pick([['x.y/a'], ['x.y/b', 'x.y/a'], []]) } : {}),
    ...(chance(10) ? { ownerReferences: OWNERS.slice(random.below(3), 1 + random.below(3)) } : {}),
    ...(chance(3) ? { resourceVersion: random.pick(['1', '0', '', 'x']) } : {}),
    ...(chance(2) ? { uid: random.pick(['', '11111111-2222-3333-4444-555555555555']) } : {}),
    ...(chance(2) ? { generateName: 'g-' } : {}),
    ...(chance(2) ? { managedFields: random.pick([[], [{}], null]) } : {}),
  }
}

function deleteOptions(random: Random): unknown {
  return random.pick([
    undefined,
    { preconditions: { uid: '11111111-2222-3333-4444-555555555555' } },
    { preconditions: { resourceVersion: '1' } },
    { propagationPolicy: 'Orphan' },
    { propagationPolicy: 'Foreground' },
    { gracePeriodSeconds: 0 },
    { dryRun: ['All'] },
  ])
}

/** A part of a value: fields and items left out at random, what tells a kind or an item stays. */
function partOf(value: Readonly<Tree>, random: Random, percent: number): Tree {
  const out: Tree = {}
  for (const [name, field] of Object.entries(value)) {
    if (['apiVersion', 'kind', 'name'].includes(name)) out[name] = field
    else if (random.below(100) >= percent) out[name] = part(field, random, percent)
  }
  return out
}

function part(value: unknown, random: Random, percent: number): unknown {
  if (Array.isArray(value)) {
    const kept = value.filter(() => random.below(100) >= percent).map((each: unknown) => part(each, random, percent))
    return random.below(10) === 0 ? kept.reverse() : kept
  }
  if (typeof value !== 'object' || value === null) return random.below(60) === 0 ? null : value
  return partOf(value as Tree, random, percent)
}
