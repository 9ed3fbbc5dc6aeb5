import { writeYamlStream } from '../yaml/write/write.ts'
import { emptyAccumulator, type Accumulator, type Build } from './accumulate/accumulator.ts'
import { accumulateTarget, useOpenApi } from './accumulate/accumulate.ts'
import { advised } from './advice.ts'
import { isNote, showNotes } from './objects/build-notes.ts'
import { rulesOf, type Compat } from './compat.ts'
import { placed } from './failure.ts'
import type { Finding } from './findings.ts'
import { fixNameReferences } from './transform/name-references.ts'
import type { Helm } from './generate/helm.ts'
import { hashNames } from './transform/hash-names.ts'
import { fieldNode, nodeOf, structOf, textsOf } from './kustomization/decoded-fields.ts'
import { fileName, rootLoader, type Loader, type LoadRestrictions } from './files/loader.ts'
import { generatedTarget, overlayTarget, type Overlay } from './kustomization/overlay.ts'
import { sortLegacy } from './objects/order.ts'
import { seeTree, type SeenTree } from './files/paths.ts'
import type { Remote } from './files/remote.ts'
import { sortBy } from './accumulate/plugins.ts'
import { objectValue } from './objects/object-value.ts'
import { ORIGIN, renderOrigin, renderTransformations, TRANSFORMATIONS } from './objects/origin.ts'
import { checkObject, isNamed } from './objects/read-resources.ts'
import { copyResource, fieldMap, metadataOf, textMap, type Resource } from './objects/resource.ts'
import { loadTarget, type Notices, type Target } from './kustomization/target.ts'
import { isLocalConfig, transformPairs } from './transform/transform-fields.ts'
import type { FileTree } from './files/tree.ts'
import { resolveVars } from './transform/vars.ts'
import { refuseTwins } from './patches/transform-patches.ts'
import { SluiceError } from '../error/sluice-error.ts'
import { mapNode, stringNode, putField } from '../yaml/make-nodes.ts'
import { type YamlMap } from '../yaml/nodes.ts'
import { noteStep, type Step } from './objects/provenance.ts'

/** What a caller may choose. */
export type BuildOptions = {
  /** 'legacy' sorts as kustomize's command line does; 'none' (default) keeps the order, as Flux does. */
  readonly reorder?: 'legacy' | 'none'
  /** Whether files must lie below the kustomization that names them (default), or anywhere inside the jail. */
  readonly loadRestrictions?: LoadRestrictions
  /** Nothing outside this folder is read; the whole tree by default. */
  readonly jail?: string
  /** What happens to a field that the kustomization file of `dir` does not have: an error as in kustomize (default), or nothing as in Flux, which takes numbers for texts there, too. */
  readonly unknownFields?: 'error' | 'lenient'
  /** Laid over the kustomization file of `dir`, as Flux does with its `spec`; `overlayName` is how errors call it. */
  readonly overlay?: Overlay
  readonly overlayName?: string
  /** The resources to build when `dir` has no kustomization file; without it that is an error. */
  readonly generated?: readonly string[]
  /** The release of kustomize whose behaviour is wanted where they differ; 5.8.1 by default. */
  readonly compat?: Compat
  /** Brings remote bases and files; without it they are refused by name. */
  readonly remote?: Remote
  /** Inflates charts; without it they are refused, as by kustomize without `--enable-helm`. */
  readonly helm?: Helm
  /** Adds the label `app.kubernetes.io/managed-by`. */
  readonly managedByLabel?: boolean
  /** Keeps where each leaf came from, for {@link origin}; about doubles the time. */
  readonly origin?: boolean
  /** Answers the trees of the objects, with the places of their values, for `findInObjects`; `origin` does so, too. */
  readonly trees?: boolean
}

/** The outcome of a build; plain data. */
export type BuildResult = {
  /** The objects in order; integers beyond 2^53 are bigints. */
  readonly objects: readonly Record<string, unknown>[]
  /** Every file and link that the build read, resolved. */
  readonly filesRead: readonly string[]
  /** Every path that the build looked for in vain. */
  readonly filesMissed: readonly string[]
  /** Lines for people: deprecated fields, vars that nothing used. */
  readonly warnings: readonly string[]
  /** What is probably a mistake in the kustomization, though kustomize says nothing; `findInObjects` looks at the objects. */
  readonly findings: readonly Finding[]
  /** The trees of `objects`, when they were asked for. */
  readonly trees?: readonly YamlMap[]
}

/**
 * Builds a kustomization: what `kustomize build` 5.8.1 prints, as objects.
 *
 * Pure: everything comes out of the tree. Linear in the size of the input.
 * @param tree the files; see {@link FileTree}
 * @param dir absolute path of the folder with the kustomization file
 * @throws SluiceError with kustomize's text, `where` (`file:line:column`, or the folder that is wrong as a whole) and `hint`
 */
export function build(tree: FileTree, dir: string, options: BuildOptions = {}): BuildResult {
  const seen = seeTree(tree, options.jail ?? '/')
  const notices: Collected = {
    unknownFields: 'error',
    warnings: [],
    findings: [],
    find: (finding) => notices.findings.push(finding),
    warn: (line) => notices.warnings.push(line),
  }
  let place = dir
  try {
    const restrictions = options.loadRestrictions ?? 'rootOnly'
    const rules = rulesOf(options.compat)
    const target = rootTarget(rootLoader(seen, dir, { restrictions, remote: options.remote, rules }), notices, options)
    if (!options.generated) place = `${fileName(target.loader, target.fileName)}:1:1`
    return buildTarget(seen, target, notices, options)
  } catch (error) {
    throw advised(asLimit(error), place)
  }
}

/** Patches can nest an object deeper than any file may be. */
function asLimit(error: unknown): unknown {
  if (!(error instanceof RangeError)) return error
  return new SluiceError('KUSTOMIZE_LIMIT', `an object of the build is too large: ${error.message}`, {
    cause: error,
    hint: 'look for patches or replacements that put an object into itself',
  })
}

/** What the user is told besides the objects. */
type Collected = Notices & { warnings: string[]; findings: Finding[] }

function buildTarget(seen: SeenTree, target: Target, notices: Collected, options: BuildOptions): BuildResult {
  const { warnings, findings } = notices
  const metadata = textsOf(target.file, 'buildMetadata')
  const context: Build = {
    unknownFields: notices.unknownFields,
    warn: notices.warn,
    helm: options.helm,
    find: notices.find,
    hasOrigins: metadata.length > 0,
    keepsTouches: options.origin === true,
    schema: undefined,
    hasSchema: false,
    readsBuiltIn: 'no',
  }
  useOpenApi(context, target)
  const into = emptyAccumulator()
  accumulateTarget(context, target, into)
  const unused = finish(context, into)
  if (unused.length > 0) warnings.push(`well-defined vars that were never replaced: ${unused.join(',')}`)
  refuseNameless(into.resources)
  refuseTwins(into.resources)
  const kept = into.resources.filter((resource) => !isLocalConfig(resource))
  const sortOptions = structOf(target.file, 'sortOptions')
  const sorted = sortOptions
    ? placed(nodeOf(sortOptions), () => sortBy(kept, sortOptions))
    : options.reorder === 'legacy'
      ? sortLegacy(kept)
      : kept
  if (options.managedByLabel === true || metadata.includes('managedByLabel')) {
    labelManaged(sorted, target.loader.rules.version)
    note(context, sorted, 'LabelTransformer', fieldNode(target.file, 'buildMetadata'))
  }
  return {
    objects: sorted.map((resource) => objectOf(resource, metadata)),
    ...(options.origin || options.trees ? { trees: sorted.map(({ node }) => node) } : {}),
    filesRead: [...seen.filesRead],
    filesMissed: [...seen.filesMissed],
    warnings,
    findings,
  }
}

/** A patch can take kind or name away; kustomize looks again when all is done, and shows its own annotations, too. */
function refuseNameless(resources: readonly Resource[]): void {
  for (const resource of resources) {
    if (isNamed(resource.node)) continue
    const copy = copyResource(resource)
    showNotes(copy)
    checkObject(copy.node)
  }
}

/** What is done once, over everything. @returns the vars that nothing used */
function finish(build: Build, { resources, config, vars }: Accumulator): string[] {
  hashNames(resources)
  note(build, resources, 'HashTransformer', undefined)
  fixNameReferences(resources, config.nameReference)
  note(build, resources, 'NameReferenceTransformer', undefined)
  const unused = resolveVars(resources, vars, config.varReference)
  if (vars.length > 0)
    note(
      build,
      resources,
      'RefVarTransformer',
      (before) => vars.find(({ name }) => before.includes(`$(${name})`))?.node,
    )
  return unused
}

const FIELDS: Readonly<Record<string, string>> = { RefVarTransformer: 'vars', LabelTransformer: 'buildMetadata' }

function note(build: Build, resources: readonly Resource[], by: string, config: Step['config']): void {
  if (!build.keepsTouches) return
  noteStep(resources, { by, field: FIELDS[by] ?? '', config })
}

function rootTarget(loader: Loader, notices: Notices, options: BuildOptions): Target {
  const { generated, overlay } = options
  const unknownFields = options.unknownFields ?? 'error'
  const allowEmpty = overlay !== undefined
  const target = generated
    ? generatedTarget(loader, generated)
    : loadTarget(loader, { ...notices, unknownFields, allowEmpty })
  return overlay ? overlayTarget(target, overlay, options.overlayName ?? 'overlay') : target
}

/** The text of a build, byte for byte as kustomize prints it. */
export function renderBuild(result: Pick<BuildResult, 'objects'>): string {
  return writeYamlStream(result.objects)
}

function labelManaged(resources: readonly Resource[], version: string): void {
  const spec = { path: 'metadata/labels', group: '', version: '', kind: '', create: true }
  transformPairs(resources, { 'app.kubernetes.io/managed-by': `kustomize-${version}` }, [spec])
}

/** Annotations that are printed only where `buildMetadata` asks for them. */
const ON_DEMAND = new Set([ORIGIN, TRANSFORMATIONS])

/** The value of a resource; annotations are texts, and none at all are left out. */
function objectOf(resource: Resource, metadataWanted: readonly string[]): Record<string, unknown> {
  if (!resource.node.fields.has('metadata')) metadataOf(resource)
  const metadata = fieldMap(resource.node, 'metadata')
  const texts = new Map([...textMap(resource, 'annotations')].filter(([key]) => !ON_DEMAND.has(key) && !isNote(key)))
  if (metadataWanted.includes('originAnnotations') && resource.origin) texts.set(ORIGIN, renderOrigin(resource.origin))
  if (metadataWanted.includes('transformerAnnotations') && resource.transformations.length > 0)
    texts.set(TRANSFORMATIONS, renderTransformations(resource.transformations))
  const annotations = metadata?.fields.get('annotations')
  metadata?.fields.delete('annotations')
  if (texts.size > 0) {
    const made = mapNode()
    for (const [key, text] of texts) putField(made, key, stringNode(text))
    metadata?.fields.set('annotations', made)
  }
  const object = objectValue(resource.node)
  metadata?.fields.delete('annotations')
  if (annotations) metadata?.fields.set('annotations', annotations)
  return object
}
