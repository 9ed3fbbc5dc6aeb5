import { rm } from 'node:fs/promises'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Instruction } from '../../lib/dockerfile/instruction.ts'
import { syntax } from '../../lib/dockerfile/parse.ts'
import { digestOf } from '../../lib/oci/digest.ts'
import { earlierStage, unsupported, type Build } from './build-state.ts'
import { baseImage } from './from-image.ts'
import {
  fromContext,
  fromText,
  fromTree,
  makeFolder,
  missingParents,
  planCopy,
  unpackArchives,
  type Ownership,
  type Source,
} from './copy.ts'
import { writeLayer, type LayerEntry } from './layer.ts'
import { readOwner } from './owner.ts'
import { absolute } from './settings.ts'
import { expandAll, expandOne, filesKey, lookupOf, treeOf, type Stage } from './stage.ts'
import { readTree, resolveInTree, type Layer, type Tree } from './tree.ts'

/** Part of every cache key: changes when layers are made differently. */
const MAKER = 'layer 3'

const FLAGS = new Set(['from', 'chown', 'chmod', 'link'])

/** Carries out COPY or ADD: one layer, or none when the cache has it. */
export async function runCopy(build: Build, stage: Stage, step: Instruction): Promise<void> {
  const where = `${build.file.path}:${step.line}`
  for (const flag of step.flags.keys())
    if (!FLAGS.has(flag) || (flag === 'from' && step.name === 'ADD'))
      throw unsupported(build, step, `${step.name} --${flag}`, 'write the step without the flag')
  const words = step.list ?? expandAll(step.rest, lookupOf(stage), build.file, step.line)
  const expanded = step.list ? words.map((word) => expandOne(word, lookupOf(stage), build.file, step.line)) : words
  if (expanded.length < 2) throw syntax(`${step.name} requires at least two arguments`, build.file.path, step.line)
  const target = expanded.at(-1) ?? ''
  const sources = await readSources(build, stage, step, expanded.slice(0, -1), where)
  const place = targetPath(stage.config.WorkingDir ?? '/', target)
  const chown = step.flags.get('chown')
  const owner = chown === undefined ? undefined : expandOne(chown, lookupOf(stage), build.file, step.line)
  const chmod = step.flags.get('chmod')
  const mode = chmod === undefined ? undefined : expandOne(chmod, lookupOf(stage), build.file, step.line)
  const key = cacheKey([step.name, filesKey(stage), place, owner, mode, sources.map((source) => source.key)])
  const made: string[] = []
  const plain = (): string => {
    const path = build.o.store.content.temporary()
    made.push(path)
    return path
  }
  await addLayer(
    build,
    stage,
    key,
    async () => {
      const tree = await treeOf(build.o.store, stage)
      const unpacked = step.name === 'ADD' ? await unpackArchives(sources, where, plain) : sources
      const ownership = await readOwnership(build, tree, owner, mode, where)
      return planCopy(tree, unpacked, place, ownership, where)
    },
    {
      check: () => build.context.checkUnchanged(sources.flatMap(({ files = [] }) => files)),
      cleanUp: async () => void (await Promise.all(made.map((path) => rm(path, { force: true })))),
    },
  )
}

/** Makes the folder of a WORKDIR when it is not there, as its own layer. */
export async function makeWorkdir(build: Build, stage: Stage): Promise<void> {
  const path = stage.config.WorkingDir ?? '/'
  const user = stage.config.User
  const key = cacheKey(['WORKDIR', filesKey(stage), path, user])
  await addLayer(build, stage, key, async () => {
    const tree = await treeOf(build.o.store, stage)
    const place = resolveInTree(tree, path)
    const node = tree.get(place)
    if (node?.type === 'directory') return []
    if (node)
      throw new SluiceError('BUILD_CONTEXT', `WORKDIR ${path} is a file of the image`, { where: build.file.path })
    const ownership = await readOwnership(build, tree, user, undefined, build.file.path)
    const folder = makeFolder(place, ownership)
    return [...missingParents(tree, [folder], ownership), folder]
  })
}

/** Adds the layer of a step: from the cache, or made now. A step without files adds none. */
export async function addLayer(
  build: Build,
  stage: Stage,
  key: string,
  make: () => Promise<readonly LayerEntry[]>,
  more: { readonly check?: () => Promise<void>; readonly cleanUp?: () => Promise<void> } = {},
): Promise<void> {
  const { store, noCache, signal } = build.o
  const known = noCache ? undefined : await store.cache.get(key)
  const layer = known === undefined ? undefined : (JSON.parse(known) as Layer | null)
  if (layer === null) return
  if (layer && (await store.content.sizeOf(layer.descriptor.digest)) === layer.descriptor.size) {
    stage.layers.push(layer)
    return
  }
  build.misses++
  try {
    const entries = await make()
    const made = entries.length === 0 ? null : await writeLayer(store, entries, signal)
    await more.check?.()
    await store.cache.set(key, JSON.stringify(made))
    if (made) stage.layers.push(made)
  } finally {
    await more.cleanUp?.()
  }
}

/** A cache key of everything that decides what a step makes. */
export function cacheKey(parts: readonly unknown[]): string {
  return digestOf(JSON.stringify([MAKER, ...parts]))
}

async function readSources(
  build: Build,
  stage: Stage,
  step: Instruction,
  names: readonly string[],
  where: string,
): Promise<Source[]> {
  const from = step.flags.get('from')
  const heredocs = new Map(step.heredocs.map((doc) => [doc.name, doc]))
  const found: Source[] = []
  for (const name of names) {
    const doc = heredocs.get(/^<<-?(\S+)$/.exec(name)?.[1] ?? '')
    if (doc) {
      const text = doc.expands ? expandText(build, stage, doc.content, step.line) : doc.content
      found.push(fromText(doc.name, text))
    } else if (step.name === 'ADD' && /^(https?|git|ssh):|^git@/.test(name))
      throw unsupported(build, step, `ADD of ${name}`, 'download it in a step before the build and COPY it')
    else if (from === undefined) found.push(...(await fromContext(build.context, name, where)))
    else found.push(...(await fromImage(build, stage, step, from, name, where)))
  }
  return found
}

/** Here documents keep their quotes; only variables are filled in. */
function expandText(build: Build, stage: Stage, text: string, line: number): string {
  const lookup = lookupOf(stage)
  return text.replace(/\\\$|\$\{[^}]*\}|\$[A-Za-z_][A-Za-z0-9_]*/g, (found) =>
    found === '\\$' ? '$' : expandOne(found, lookup, build.file, line),
  )
}

const trees = new WeakMap<Build, Map<string, Promise<{ readonly tree: Tree; readonly key: string }>>>()

async function fromImage(
  build: Build,
  stage: Stage,
  step: Instruction,
  from: string,
  name: string,
  where: string,
): Promise<Source[]> {
  const { store } = build.o
  const known = trees.get(build) ?? new Map<string, Promise<{ tree: Tree; key: string }>>()
  trees.set(build, known)
  const earlier = earlierStage(build, from, stage.plan.index)
  const id = earlier ? `stage ${earlier.index}` : from
  const read = async (): Promise<{ tree: Tree; key: string }> => {
    const base = earlier && build.built.get(earlier.index)
    const layers = base ? base.layers : (await baseImage(build, from, step)).layers
    return { tree: await readTree(store, layers), key: cacheKey(layers.map(({ diffId }) => diffId)) }
  }
  const image = known.get(id) ?? read()
  known.set(id, image)
  const { tree, key } = await image
  return fromTree(store, tree, name, `image "${from}"`, where).map((source) => ({ ...source, key: key + source.key }))
}

async function readOwnership(
  build: Build,
  tree: Tree,
  owner: string | undefined,
  mode: string | undefined,
  where: string,
): Promise<Ownership | undefined> {
  if (mode !== undefined && !/^0?[0-7]{3,4}$/.test(mode))
    throw new SluiceError('DOCKERFILE_UNSUPPORTED', `--chmod=${mode} is not supported by this builder`, {
      where,
      hint: 'write the mode in octal, as 755',
    })
  if (owner === undefined && mode === undefined) return undefined
  const { uid, gid } = await readOwner(build.o.store, tree, owner ?? '0:0', where)
  return { uid, gid, mode: mode === undefined ? undefined : parseInt(mode, 8) }
}

function targetPath(workdir: string, target: string): string {
  const path = absolute(workdir, target)
  return path !== '/' && /(^|\/)\.?$/.test(target) ? `${path}/` : path
}
