import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Instruction } from '../../lib/dockerfile/instruction.ts'
import { parseDockerfile, syntax } from '../../lib/dockerfile/parse.ts'
import { MEDIA } from '../../lib/oci/media-types.ts'
import { linuxPlatform } from '../../lib/oci/platform.ts'
import type { ImageConfig } from '../../lib/oci/types.ts'
import { type Build, type BuildOptions, earlierStage, stageNamed, unsupported } from './build-state.ts'
import { openContext, readDockerfile } from './context.ts'
import { makeWorkdir, runCopy } from './copy-step.ts'
import { baseImage } from './from-image.ts'
import { runStep } from './run/run-step.ts'
import { applySetting, declareArgs } from './settings.ts'
import { expandOne, planStages, splitFrom, type Stage, type StagePlan } from './stage.ts'
import { referenceFrom, setTag } from './store.ts'

/** What was built. */
export type BuildResult = {
  /** Digest of the configuration, as docker's image ids. */
  readonly imageId: string
  readonly manifestDigest: string
  readonly ms: number
  /** True when no layer had to be made. */
  readonly cached: boolean
}

const PREDEFINED = new Set(
  ['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy', 'all_proxy'].flatMap((name) => [name, name.toUpperCase()]),
)

/**
 * Builds a Dockerfile into the image store.
 *
 * The same Dockerfile, arguments, base and files give the same digest on every machine (times are 0, or the build argument
 * SOURCE_DATE_EPOCH). Layers are cached by their content. A 60 MB COPY and nothing changed: bench/builder.bench.ts.
 * @throws SluiceError DOCKERFILE_SYNTAX, DOCKERFILE_UNSUPPORTED (with the way out), BUILD_CONTEXT, BUILD_RUN, IMAGE_MISSING, REGISTRY_*
 */
export async function buildImage(o: BuildOptions): Promise<BuildResult> {
  const started = performance.now()
  const { path, name, text } = await readDockerfile(o.contextDir, o.dockerfile)
  const file = parseDockerfile(text, name)
  const { globals, stages } = planStages(file)
  const build: Build = {
    o,
    file,
    context: await openContext(o.contextDir, path, o.store),
    args: new Map(Object.entries(o.buildArgs ?? {})),
    stages,
    built: new Map(),
    log: o.log ?? (() => undefined),
    misses: 0,
  }
  const tags = (o.tags ?? []).map(referenceFrom)
  const wanted = findStage(build, o.target)
  const globalArgs = new Map<string, string | undefined>(platformArgs())
  for (const step of globals)
    declareArgs(globalArgs, step, file, build.args, (key) => globalArgs.get(key) ?? build.args.get(key))
  checkArgs(build)
  for (const stage of neededStages(build, wanted, globalArgs))
    build.built.set(stage.index, await buildStage(build, stage, globalArgs))
  const stage = build.built.get(wanted.index)
  if (stage === undefined) throw new Error('the wanted stage was not built')
  const { imageId, manifestDigest } = await writeImage(build, stage)
  for (const tag of tags) await setTag(o.store, tag, manifestDigest)
  await build.context.save()
  const ms = Math.round(performance.now() - started)
  return { imageId, manifestDigest, ms, cached: build.misses === 0 }
}

/** The variables about the platform that every build has. */
function platformArgs(): [string, string][] {
  const { os, architecture } = linuxPlatform(process.arch)
  return ['TARGET', 'BUILD'].flatMap((of): [string, string][] => [
    [`${of}PLATFORM`, `${os}/${architecture}`],
    [`${of}OS`, os],
    [`${of}ARCH`, architecture],
  ])
}

function findStage(build: Build, target: string | undefined): StagePlan {
  const last = build.stages.at(-1)
  const found = target === undefined ? last : stageNamed(build.stages, target)
  if (found) return found
  throw new SluiceError('DOCKERFILE_SYNTAX', `target stage "${target}" could not be found`, { where: build.file.path })
}

/** The stages that the wanted one is made of, in order; the others are not built. */
function neededStages(
  build: Build,
  wanted: StagePlan,
  globals: ReadonlyMap<string, string | undefined>,
): readonly StagePlan[] {
  const needed = new Set<number>()
  const visit = (stage: StagePlan): void => {
    if (needed.has(stage.index)) return
    needed.add(stage.index)
    const froms = stage.steps.flatMap(({ flags }) => flags.get('from') ?? [])
    for (const name of [baseName(build, stage, globals), ...froms]) {
      const earlier = earlierStage(build, name, stage.index)
      if (earlier) visit(earlier)
    }
  }
  visit(wanted)
  return build.stages.filter(({ index }) => needed.has(index))
}

function baseName(build: Build, { from }: StagePlan, globals: ReadonlyMap<string, string | undefined>): string {
  const text = splitFrom(from.rest).base
  const name = expandOne(text, (key) => globals.get(key), build.file, from.line)
  if (name === '') throw syntax(`base name (${text}) should not be blank`, build.file.path, from.line)
  if (/\s/.test(name)) throw syntax('FROM requires either one or three arguments', build.file.path, from.line)
  return name
}

async function buildStage(
  build: Build,
  plan: StagePlan,
  globals: ReadonlyMap<string, string | undefined>,
): Promise<Stage> {
  const stage = await startStage(build, plan, baseName(build, plan, globals))
  for (const key of PREDEFINED) if (build.args.has(key)) stage.args.set(key, build.args.get(key))
  for (const [index, step] of plan.steps.entries()) {
    build.o.signal?.throwIfAborted()
    build.log(`[${plan.name ?? `stage-${plan.index}`} ${index + 1}/${plan.steps.length}] ${step.text}`)
    if (step.name === 'ARG') seedGlobals(stage, step, globals)
    const before = stage.layers.length
    await carryOut(build, stage, step)
    stage.history.push({
      created: createdAt(build),
      created_by: step.text,
      ...(stage.layers.length === before ? { empty_layer: true } : {}),
    })
  }
  return stage
}

/** `ARG NAME` in a stage takes over the default that stands before the first FROM. */
function seedGlobals(stage: Stage, step: Instruction, globals: ReadonlyMap<string, string | undefined>): void {
  for (const name of step.rest.split(/\s+/)) if (globals.has(name)) stage.args.set(name, globals.get(name))
}

async function carryOut(build: Build, stage: Stage, step: Instruction): Promise<void> {
  switch (step.name) {
    case 'COPY':
    case 'ADD':
      return runCopy(build, stage, step)
    case 'RUN':
      return runStep(build, stage, step)
    case 'WORKDIR':
      applySetting(stage, step, build.file, build.args)
      return makeWorkdir(build, stage)
    case 'ONBUILD':
      throw unsupported(build, step, 'ONBUILD', 'put the instruction into the Dockerfile that builds on this one')
    default:
      if (!applySetting(stage, step, build.file, build.args))
        throw unsupported(build, step, step.name, 'remove the instruction')
  }
}

async function startStage(build: Build, plan: StagePlan, name: string): Promise<Stage> {
  const platform = plan.from.flags.get('platform')
  const own = linuxPlatform(process.arch)
  if (platform !== undefined && !/^\$/.test(platform) && platform !== `${own.os}/${own.architecture}`)
    throw unsupported(build, plan.from, `--platform=${platform}`, `build on a machine that is ${platform}`)
  const args = new Map<string, string | undefined>()
  if (name === 'scratch') return { plan, ...own, config: {}, layers: [], history: [], args }
  const earlier = earlierStage(build, name, plan.index)
  const base = earlier && build.built.get(earlier.index)
  if (base)
    return { ...base, plan, config: { ...base.config }, layers: [...base.layers], history: [...base.history], args }
  const { config, layers } = await baseImage(build, name, plan.from)
  if (config.config?.OnBuild?.length)
    throw unsupported(build, plan.from, `the ONBUILD of ${name}`, 'use a base image without ONBUILD')
  const { architecture, os } = config
  const history = historyOf(config)
  return { plan, architecture, os, config: { ...config.config }, layers: [...layers], history, args }
}

/** The history of a base image; made up when it does not fit the layers, since tools count the entries. */
function historyOf({ history = [], rootfs }: ImageConfig): Stage['history'] {
  const fits = history.filter((entry) => !entry.empty_layer).length === rootfs.diff_ids.length
  return fits ? [...history] : rootfs.diff_ids.map(() => ({ created_by: 'base image' }))
}

async function writeImage(build: Build, stage: Stage): Promise<{ imageId: string; manifestDigest: string }> {
  const { content, cache } = { content: build.o.store.content, cache: build.o.store.cache }
  const { labels } = build.o
  if (labels && Object.keys(labels).length > 0) stage.config.Labels = { ...stage.config.Labels, ...labels }
  const config: ImageConfig = {
    created: createdAt(build),
    architecture: stage.architecture,
    os: stage.os,
    config: sortedConfig(stage.config),
    rootfs: { type: 'layers', diff_ids: stage.layers.map(({ diffId }) => diffId) },
    history: stage.history,
  }
  const configBytes = Buffer.from(JSON.stringify(config))
  const imageId = await content.write(configBytes)
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA.manifest,
      config: { mediaType: MEDIA.config, digest: imageId, size: configBytes.length },
      layers: stage.layers.map(({ descriptor: { mediaType, digest, size } }) => ({
        mediaType: ociLayerType(mediaType),
        digest,
        size,
      })),
    }),
  )
  const manifestDigest = await content.write(manifest)
  const known = `id ${imageId}`
  if ((await cache.get(known)) !== manifestDigest) await cache.set(known, manifestDigest)
  return { imageId, manifestDigest }
}

function ociLayerType(mediaType: string): string {
  if (mediaType === MEDIA.dockerLayerGzip) return MEDIA.layerGzip
  return mediaType === MEDIA.dockerLayer ? MEDIA.layer : mediaType
}

/** Maps in the order of their keys: the digest must not depend on the order of instructions that mean the same. */
function sortedConfig(config: Stage['config']): Stage['config'] {
  const sort = <T>(map: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)))
  return {
    ...config,
    ...(config.Labels ? { Labels: sort(config.Labels) } : {}),
    ...(config.ExposedPorts ? { ExposedPorts: sort(config.ExposedPorts) } : {}),
    ...(config.Volumes ? { Volumes: sort(config.Volumes) } : {}),
  }
}

function createdAt(build: Build): string {
  const seconds = Number(build.args.get('SOURCE_DATE_EPOCH') ?? 0)
  return new Date(Number.isSafeInteger(seconds) ? seconds * 1000 : 0).toISOString().replace('.000Z', 'Z')
}

function checkArgs(build: Build): void {
  const declared = new Set(
    build.file.instructions
      .filter(({ name }) => name === 'ARG')
      .flatMap(({ rest }) => rest.split(/\s+/).map((word) => word.split('=')[0])),
  )
  for (const name of build.args.keys())
    if (!declared.has(name) && !PREDEFINED.has(name) && name !== 'SOURCE_DATE_EPOCH')
      build.log(`warning: build-arg ${name} was not consumed: no ARG ${name} in ${build.file.path}`)
}
