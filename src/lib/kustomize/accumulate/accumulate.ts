import { SluiceError } from '../../error/sluice-error.ts'
import { goQuote } from '../../value/go-quote.ts'
import { loadConfig, mergeConfig, NO_CONFIG } from '../transform/config.ts'
import { loadCrdConfig } from '../transform/crd-config.ts'
import { during, failure, messageOf, placed, prefixed, rewritten } from '../failure.ts'
import { entriesOf, fieldNode, structsOf, textOf, textsOf, type TextEntry } from '../kustomization/decoded-fields.ts'
import { fileName, loadText, subLoader, type Loader } from '../files/loader.ts'
import { markFile } from '../objects/origin.ts'
import { noteStep } from '../objects/provenance.ts'
import { isMalformed, readInside, readResources } from '../objects/read-resources.ts'
import type { Resource } from '../objects/resource.ts'
import { loadTarget, openApiOf, resourcePaths, type Notices, type Target } from '../kustomization/target.ts'
import { loadSchema } from '../patches/open-api.ts'
import { append, emptyAccumulator, noteKinds, type Accumulator, type Build } from './accumulator.ts'
import { externalSteps } from './external.ts'
import { runValidators } from './validators.ts'
import { runGenerators } from './run-generators.ts'
import { builtInSteps, runSteps } from './transform.ts'
import { refuseTwins } from '../patches/transform-patches.ts'
import { joinVars, mergeVars, readVar } from '../transform/vars.ts'

/**
 * Collects a kustomization into an accumulator: a Component works on its parent's, everything else on its own.
 *
 * @see https://github.com/kubernetes-sigs/kustomize/blob/master/api/internal/target/kusttarget.go
 */
export function accumulateTarget(build: Build, target: Target, into: Accumulator): void {
  const { loader, file } = target
  during('accumulating resources', () => accumulatePaths(build, basesLoader(target), resourcePaths(target), into))
  const config = loadConfig(loader, entriesOf(file, 'configurations'))
  into.config = during('merging config &{…}', () => mergeConfig(into.config, config))
  const crds = entriesOf(file, 'crds')
  const ofCrds = during(`loading CRDs [${textsOf(file, 'crds').join(' ')}]`, () => loadCrdConfig(loader, crds))
  into.config = during('merging CRDs &{…}', () => mergeConfig(into.config, ofCrds))
  runGenerators(build, target, into, () => readConfigs(build, target, entriesOf(file, 'generators'), 'generator'))
  during('accumulating components', () => accumulateComponents(build, target, into))
  into.keys = undefined
  const steps = builtInSteps(build, target, into)
  const external = readConfigs(build, target, entriesOf(file, 'transformers'))
  runSteps(build, target, into, [...steps, ...externalSteps(external, build, loader, into)])
  runValidators(build, target, into, readConfigs(build, target, entriesOf(file, 'validators')))
  into.keys = undefined
  const vars = structsOf(file, 'vars').map(readVar)
  if (vars.length === 0) return
  into.vars = during(`merging vars [${vars.map(({ text }) => text).join(' ')}]`, () =>
    mergeVars(into.vars, vars, into.resources),
  )
}

/** What bases and components are found with: charts in them get the namespace from here when they have none. */
function basesLoader({ loader, file }: Target): Loader {
  const namespace = textOf(file, 'namespace')
  return namespace === '' ? loader : { ...loader, helmNamespace: namespace }
}

/** Each path is tried as a file, then as a folder. */
function accumulatePaths(build: Build, loader: Loader, paths: readonly TextEntry[], into: Accumulator): void {
  for (const entry of paths)
    placed(entry.node, () => {
      const fileError = tryFile(build, loader, entry, into)
      if (fileError?.code === 'KUSTOMIZE_HTTP') throw fileError
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
    const read = during(`accumulating resources from '${path}'`, () => {
      const resources = readFileResources(build, loader, path)
      // two of one id in the same file are found out as it is read
      if (resources.length > 1) append(emptyAccumulator(), resources)
      return resources
    })
    noteKinds(build, read)
    if (build.hasOrigins) markFile(read, loader, path)
    if (build.keepsTouches) noteStep(read, { by: 'file', field: 'resources', config: node })
    during(`merging resources from '${path}'`, () => append(into, read))
    return undefined
  } catch (error) {
    if (error instanceof SluiceError) return error
    throw error
  }
}

function readFileResources({ find }: Notices, loader: Loader, path: string): Resource[] {
  const text = loadText(loader, path)
  try {
    return readResources(text, fileName(loader, path), undefined, find)
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
    placed(node, () => accumulateComponent(build, componentLoader(basesLoader(target), text), into))
}

function accumulateComponent(build: Build, loader: Loader, into: Accumulator): void {
  try {
    accumulateDirectory(build, loader, into, true)
  } catch (error) {
    throw rewritten(error, (message) => `accumulateDirectory: ${goQuote(message)}`)
  }
}

function componentLoader(loader: Loader, path: string): Loader {
  try {
    return subLoader(loader, path)
  } catch (error) {
    throw rewritten(error, (message) => `loader.New ${goQuote(message)}`)
  }
}

function accumulateDirectory(build: Build, loader: Loader, into: Accumulator, isComponent: boolean): void {
  const target = during(`couldn't make target for path '${loader.root}'`, () => loadTarget(loader, build))
  useOpenApi(build, target)
  if (isComponent !== (target.kind === 'Component')) throw wrongKind(loader, target, isComponent)
  if (isComponent) {
    during(`recursed accumulation of path '${loader.root}'`, () => accumulateTarget(build, target, into))
    during(`recursed merging from path '${loader.root}'`, () => {
      refuseTwins(into.resources)
      // kustomize moves all to a new accumulator, and a configuration merged into none loses what it covers itself
      into.config = mergeConfig(NO_CONFIG, into.config)
    })
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

/** The schema of the outermost kustomization that names one holds for the whole build; the files of the others are read, too. */
export function useOpenApi(build: Build, target: Target): void {
  placed(fieldNode(target.file, 'openapi'), () => {
    const { own, version } = openApiOf(target)
    if (build.hasSchema || (!own && !version)) return
    if (own && version !== undefined)
      throw failure('KUSTOMIZE_INVALID', 'builtin version and custom schema provided, cannot use both')
    if (!own && version !== 'v1.21.2')
      throw failure('KUSTOMIZE_INVALID', 'the specified OpenAPI version is not built in')
    build.hasSchema = true
    if (own) build.schema = loadSchema(own.text, own.file, LAYERS[build.readsBuiltIn])
  })
}

/** What was read first lies below. */
const LAYERS = { no: 'alone', later: 'under', now: 'over' } as const

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

/** Reads the configurations of `generators`, `transformers` or `validators`: paths or inline YAML. */
function readConfigs(
  build: Build,
  target: Target,
  entries: readonly TextEntry[],
  what: 'generator' | 'transformer' = 'transformer',
): readonly Resource[] {
  if (entries.length === 0) return []
  const collected = emptyAccumulator()
  const paths: TextEntry[] = []
  for (const entry of entries) {
    const inline = readInline(entry)
    if (inline) {
      noteKinds(build, inline)
      markFile(inline, target.loader, target.fileName)
      during(`configuring external ${what}`, () => append(collected, inline))
    } else paths.push(entry)
  }
  accumulatePaths(build, target.loader, paths, collected)
  return collected.resources
}

function readInline(entry: TextEntry): Resource[] | undefined {
  try {
    return readInside(entry.text, entry.node)
  } catch (error) {
    if (error instanceof SluiceError) return undefined
    throw error
  }
}
