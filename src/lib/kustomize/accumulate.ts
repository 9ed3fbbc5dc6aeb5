import { SluiceError } from '../error/sluice-error.ts'
import { absorb } from './absorb.ts'
import { loadConfig, loadCrdConfig, mergeConfig, NO_CONFIG, type TransformerConfig } from './config.ts'
import { generatorArgs, generatorOptions } from './entries.ts'
import { buildError, during, failure, messageOf, placed, prefixed, rewritten } from './failure.ts'
import { formatId, idKey } from './ids.ts'
import { generateConfigMap, generateSecret } from './generate.ts'
import {
  entriesOf,
  fieldNode,
  nodeOf,
  structOf,
  structsOf,
  rawNodes,
  textsOf,
  type TextEntry,
} from './kustomization.ts'
import { fileName, loadText, subLoader, type Loader } from './loader.ts'
import type { SchemaLookup } from './merge.ts'
import type { Decoded } from './decode.ts'
import { markFile, markGenerated } from './origin.ts'
import { noteStep } from './provenance.ts'
import { isMalformed, readResources } from './read-resources.ts'
import { currentId, type Resource } from './resource.ts'
import { loadTarget, openApiOf, resourcePaths, type Notices, type Target } from './target.ts'
import { loadSchema } from './open-api.ts'
import { readExternal, runGenerators, runTransformers } from './external.ts'
import { transformBuiltIn } from './transform.ts'
import { joinVars, mergeVars, readVar, type Var } from './vars.ts'

/** What all kustomizations of one build share. */
export type Build = Notices & {
  /** The schema of `openapi`, which replaces the built-in one for the rest of the build. */
  schema: SchemaLookup | undefined
  hasSchema: boolean
  /** Whether objects remember where they came from (`buildMetadata`). */
  readonly hasOrigins: boolean
  /** Whether leaves remember who set them. */
  readonly keepsTouches: boolean
}

/** What has been collected so far at one level. */
export type Accumulator = {
  resources: Resource[]
  /** Keys of the ids of `resources`; undefined when they may have changed. */
  keys: Set<string> | undefined
  config: TransformerConfig
  vars: readonly Var[]
}

/** Nothing collected. */
export function emptyAccumulator(): Accumulator {
  return { resources: [], keys: new Set(), config: NO_CONFIG, vars: [] }
}

/**
 * Collects a kustomization into an accumulator: a Component works on its parent's, everything else on its own.
 *
 * @see https://github.com/kubernetes-sigs/kustomize/blob/master/api/internal/target/kusttarget.go
 */
export function accumulateTarget(build: Build, target: Target, into: Accumulator): void {
  const { loader, file } = target
  during('accumulating resources', () => accumulatePaths(build, loader, resourcePaths(target), into))
  into.config = mergeConfig(into.config, loadConfig(loader, entriesOf(file, 'configurations')))
  const crds = entriesOf(file, 'crds')
  if (crds.length > 0)
    into.config = mergeConfig(
      into.config,
      during(`loading CRDs [${textsOf(file, 'crds').join(' ')}]`, () => loadCrdConfig(loader, crds)),
    )
  generate(build, target, into)
  during('accumulating components', () => accumulateComponents(build, target, into))
  into.keys = undefined
  transformBuiltIn(build, target, into)
  runTransformers(readExternal(build, loader, entriesOf(file, 'transformers')), build, loader, into)
  runValidators(build, target, into)
  const vars = structsOf(file, 'vars').map(readVar)
  if (vars.length > 0) into.vars = during('merging vars', () => mergeVars(into.vars, vars, into.resources))
}

function runValidators(build: Build, { loader, file }: Target, into: Accumulator): void {
  runTransformers(readExternal(build, loader, entriesOf(file, 'validators')), build, loader, into)
}

/** Each path is tried as a file, then as a folder. */
export function accumulatePaths(build: Build, loader: Loader, paths: readonly TextEntry[], into: Accumulator): void {
  for (const entry of paths)
    placed(entry.node, () => {
      const fileError = tryFile(build, loader, entry, into)
      if (fileError) accumulateBase(build, loader, entry.text, into, fileError)
    })
}

function tryFile(
  build: Build,
  loader: Loader,
  { text: path, node }: TextEntry,
  into: Accumulator,
): SluiceError | undefined {
  try {
    const read = during(`accumulating resources from '${path}'`, () => readFileResources(loader, path))
    if (build.hasOrigins) markFile(read, loader, path)
    if (build.keepsTouches) noteStep(read, { by: 'file', field: 'resources', config: node })
    during(`merging resources from '${path}'`, () => append(into, read))
    return undefined
  } catch (error) {
    if (error instanceof SluiceError) return error
    throw error
  }
}

function readFileResources(loader: Loader, path: string): Resource[] {
  const text = loadText(loader, path)
  try {
    return readResources(text, fileName(loader, path))
  } catch (error) {
    if (!isMalformed(error)) throw error
    throw rewritten(error, (message) => `MalformedYAMLError: ${message} in File: ${path}`)
  }
}

function accumulateBase(build: Build, loader: Loader, path: string, into: Accumulator, fileError: SluiceError): void {
  let base: Loader
  try {
    base = subLoader(loader, path)
  } catch (error) {
    if (fileError.code === 'YAML_SYNTAX' || fileError.code === 'YAML_LIMIT') throw fileError
    throw combined(fileError, error)
  }
  try {
    accumulateDirectory(build, base, into, false)
  } catch (error) {
    throw combined(fileError, error)
  }
}

/** Kustomize shows both errors; the place is that of the one that matters. */
function combined(fileError: SluiceError, error: unknown): unknown {
  const text = messageOf(error)
  const isFileTheCause =
    fileError.code !== 'KUSTOMIZE_PATH' && error instanceof SluiceError && error.code === 'KUSTOMIZE_PATH'
  return prefixed(`accumulation err='${fileError.message}'`, isFileTheCause ? rewritten(fileError, () => text) : error)
}

function accumulateComponents(build: Build, target: Target, into: Accumulator): void {
  for (const { text, node } of entriesOf(target.file, 'components'))
    placed(node, () => accumulateComponent(build, componentLoader(target.loader, text), into))
}

function accumulateComponent(build: Build, loader: Loader, into: Accumulator): void {
  try {
    accumulateDirectory(build, loader, into, true)
  } catch (error) {
    throw rewritten(error, (message) => `accumulateDirectory: ${JSON.stringify(message)}`)
  }
}

function componentLoader(loader: Loader, path: string): Loader {
  try {
    return subLoader(loader, path)
  } catch (error) {
    throw rewritten(error, (message) => `loader.New ${JSON.stringify(message)}`)
  }
}

function accumulateDirectory(build: Build, loader: Loader, into: Accumulator, isComponent: boolean): void {
  const target = during(`couldn't make target for path '${loader.root}'`, () => loadTarget(loader, build))
  useOpenApi(build, target)
  if (isComponent !== (target.kind === 'Component')) throw wrongKind(loader, target, isComponent)
  if (isComponent) {
    during(`recursed accumulation of path '${loader.root}'`, () => accumulateTarget(build, target, into))
    return
  }
  const own = emptyAccumulator()
  during(`recursed accumulation of path '${loader.root}'`, () => accumulateTarget(build, target, own))
  during(`recursed merging from path '${loader.root}'`, () => {
    append(into, own.resources)
    into.config = mergeConfig(into.config, own.config)
    into.vars = joinVars(into.vars, own.vars)
  })
}

/** The schema of the outermost kustomization that names one holds for the whole build. */
export function useOpenApi(build: Build, target: Target): void {
  const chosen = openApiOf(target)
  if (chosen === undefined || build.hasSchema) return
  build.hasSchema = true
  if ('path' in chosen)
    build.schema = placed(fieldNode(target.file, 'openapi'), () =>
      loadSchema(loadText(target.loader, chosen.path), fileName(target.loader, chosen.path)),
    )
}

function wrongKind(loader: Loader, target: Target, isComponent: boolean): Error {
  const text = isComponent
    ? `expected kind 'Component' for path '${loader.root}' but got '${target.kind}'`
    : `expected kind != 'Component' for path '${loader.root}'`
  return failure(
    'KUSTOMIZE_INVALID',
    text,
    undefined,
    isComponent ? 'list it under resources' : 'list it under components',
  )
}

/** Adds resources; two of the same id are an error. */
export function append(into: Accumulator, resources: readonly Resource[]): void {
  into.keys ??= new Set(into.resources.map((resource) => idKey(currentId(resource))))
  for (const resource of resources) {
    const id = currentId(resource)
    const key = idKey(id)
    if (into.keys.has(key))
      throw buildError(
        `may not add resource with an already registered id: ${formatId(id)}`,
        resource.node,
        'two files define the same object',
      )
    into.keys.add(key)
    into.resources.push(resource)
  }
}

function generate(build: Build, target: Target, into: Accumulator): void {
  const { loader, file } = target
  const globals = structOf(file, 'generatorOptions')
  const options = globals && generatorOptions(globals)
  const configMaps = structsOf(file, 'configMapGenerator').map((entry) =>
    placed(nodeOf(entry), () => generateConfigMap(loader, generatorArgs(entry), options)),
  )
  const secrets = structsOf(file, 'secretGenerator').map((entry) =>
    placed(nodeOf(entry), () => generateSecret(loader, generatorArgs(entry), options)),
  )
  const [chart] = [...rawNodes(file, 'helmCharts'), ...rawNodes(file, 'helmChartInflationGenerator')]
  if (chart)
    throw failure(
      'KUSTOMIZE_UNSUPPORTED',
      'must specify --enable-helm',
      chart,
      'Helm charts are not inflated here; render the chart into a file',
    )
  if (build.hasOrigins) {
    for (const resource of configMaps) markGenerated(resource, loader, target.fileName, 'ConfigMapGenerator')
    for (const resource of secrets) markGenerated(resource, loader, target.fileName, 'SecretGenerator')
  }
  absorbAll(build, into, file, 'configMapGenerator', configMaps)
  absorbAll(build, into, file, 'secretGenerator', secrets)
  for (const resource of runGenerators(readExternal(build, loader, entriesOf(file, 'generators')), build, loader))
    during(`merging from generator ${describe(resource)}`, () => absorb(into, resource))
}

function absorbAll(
  build: Build,
  into: Accumulator,
  file: Decoded,
  field: 'configMapGenerator' | 'secretGenerator',
  made: readonly Resource[],
): void {
  const by = field === 'configMapGenerator' ? 'ConfigMapGenerator' : 'SecretGenerator'
  const entries = structsOf(file, field)
  for (const [index, resource] of made.entries()) {
    during(`merging from generator ${describe(resource)}`, () => absorb(into, resource))
    const entry = entries[index]
    if (build.keepsTouches && entry) noteStep([resource], { by, field: `${field}[${index}]`, config: nodeOf(entry) })
  }
}

function describe(resource: Resource): string {
  return `&{${formatId(currentId(resource))}}`
}
