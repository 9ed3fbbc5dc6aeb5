import { SluiceError } from '../../error/sluice-error.ts'
import { compileRegexp } from '../../go-regexp/go-regexp.ts'
import type { YamlMap, YamlNode } from '../../yaml/nodes.ts'
import { rulesOf, type Rules } from '../compat.ts'
import { wrongKind } from '../failure.ts'
import { visitField, type FieldSpec, type Visit } from '../fields/field-spec.ts'
import { isNull } from '../objects/null.ts'
import type { ImageArgs } from '../kustomization/kustomization.ts'
import { fieldText, scalarLike, type Resource } from '../objects/resource.ts'
import { placeLike } from '../objects/provenance.ts'

/** A place that holds an image, and how to replace it. */
type Holder = { readonly get: () => YamlNode | undefined; readonly set: (node: YamlNode) => void }

/** An entry, and how it fared: the number of images that it matched, and one of another name among them. */
export type ImageMatch = { readonly image: ImageArgs; readonly count: number; readonly other: string | undefined }

/** Renames and retags images, entry by entry: in any list called `containers` or `initContainers`, then in the fields of the specs. */
export function transformImages(
  resources: readonly Resource[],
  images: readonly ImageArgs[],
  specs: readonly FieldSpec[],
  rules: Rules = rulesOf(),
): ImageMatch[] {
  if (images.length === 0) return []
  const anywhere: Holder[] = []
  const inFields: Holder[] = []
  const able = resources.filter(
    ({ node, isDeleted }) => !isDeleted && fieldText(node, 'kind') !== 'CustomResourceDefinition',
  )
  for (const { node } of able) collectAnywhere(node, anywhere)
  for (const { node } of able) for (const spec of specs) collectField(node, spec, inFields)
  const holders = [...anywhere, ...inFields]
  return images.map((image) => retagAll(holders, image, rules))
}

/** The field is looked up again at each entry: the walk for any list may have replaced it meanwhile. */
function collectField(node: YamlMap, spec: FieldSpec, holders: Holder[]): void {
  const last = spec.path.slice(spec.path.lastIndexOf('/') + 1)
  const parent = { ...spec, path: spec.path.slice(0, spec.path.lastIndexOf('/')) }
  if (parent.path === '') return
  let isOdd = false
  const collect: Visit = (found) => {
    if (found.kind === 'seq') return found.items.forEach((item) => collect(item, () => {}))
    const image = found.kind === 'map' ? found.fields.get(last) : undefined
    isOdd ||= found.kind === 'scalar' ? !isNull(found) : image !== undefined && image.kind !== 'scalar'
    if (found.kind === 'map' && image)
      holders.push({ get: () => found.fields.get(last), set: (fresh) => found.fields.set(last, fresh) })
  }
  const demandText = (): void => visitField(node, spec, undefined, (image) => demand('scalar', image))
  try {
    visitField(node, parent, undefined, collect)
  } catch (error) {
    demandText()
    throw error
  }
  if (isOdd) demandText()
}

function demand(kind: YamlNode['kind'], node: YamlNode): void {
  if (node.kind !== kind && !isNull(node)) throw wrongKind(kind, node)
}

function collectAnywhere(node: YamlNode, holders: Holder[]): void {
  if (node.kind === 'seq') {
    for (const item of node.items) if (item.kind !== 'scalar') collectAnywhere(item, holders)
    return
  }
  if (node.kind !== 'map') return
  for (const [key, value] of node.fields) {
    if (value.kind === 'scalar') continue
    collectAnywhere(value, holders)
    if ((key === 'containers' || key === 'initContainers') && value.kind === 'seq')
      for (const item of value.items) collectContainer(item, holders)
  }
}

function collectContainer(item: YamlNode, holders: Holder[]): void {
  demand('map', item)
  const image = item.kind === 'map' ? item.fields.get('image') : undefined
  if (item.kind !== 'map' || !image) return
  demand('scalar', image)
  holders.push(holderOf(item))
}

function holderOf(map: YamlMap): Holder {
  return { get: () => map.fields.get('image'), set: (node) => map.fields.set('image', node) }
}

function retagAll(holders: readonly Holder[], image: ImageArgs, rules: Rules): ImageMatch {
  const matches = imageTest(image.name, rules)
  const literal = image.name.replace(/\\(.)/g, '$1')
  let count = 0
  let other: string | undefined
  for (const holder of holders) {
    const node = holder.get()
    if (node?.kind !== 'scalar' || !matches(node.value)) continue
    count++
    if (!node.value.startsWith(literal)) other ??= node.value
    const fresh = scalarLike(node, retag(node.value, image), '')
    placeLike(fresh, settingOf(image))
    holder.set(fresh)
  }
  return { image, count, other }
}

/** The line of an entry that says what becomes of the image. */
function settingOf({ node }: ImageArgs): YamlNode {
  const { fields } = node
  return fields.get('newTag') ?? fields.get('digest') ?? fields.get('newName') ?? fields.get('tagSuffix') ?? node
}

/** The name is a regular expression, as in kustomize; one that does not compile matches nothing. */
function imageTest(name: string, { anyDigest }: Rules): (image: string) => boolean {
  const algorithm = anyDigest ? '[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*' : 'sha256'
  const suffix = `(:[a-zA-Z0-9_.{}-]*)?(@${algorithm}:[a-zA-Z0-9_.{}-]*)?$`
  if (/^[A-Za-z0-9_/:-]*$/.test(name)) {
    const rest = new RegExp(`^${suffix}`)
    return (image) => image.startsWith(name) && rest.test(image.slice(name.length))
  }
  // The usual name is of a registry, and a dot in it stands for any character but a line feed.
  if (/^[A-Za-z0-9_/:.-]*$/.test(name)) {
    const expression = new RegExp(`^${name.replaceAll('.', '[^\\n]')}${suffix}`, 'u')
    return (image) => expression.test(image)
  }
  try {
    const expression = compileRegexp(`^${name}${suffix}`)
    return (image) => expression.test(image)
  } catch (error) {
    if (error instanceof SluiceError) return () => false
    throw error
  }
}

function retag(reference: string, image: ImageArgs): string {
  const parts = splitImage(reference)
  const name = image.newName || parts.name
  let { tag, digest } = parts
  if (image.newTag !== '' && image.digest !== '') {
    tag = image.newTag
    digest = image.digest
  } else if (image.newTag !== '') {
    tag = image.newTag
    digest = ''
  } else if (image.digest !== '') {
    tag = ''
    digest = image.digest
  } else if (image.tagSuffix !== '') {
    tag += image.tagSuffix
    digest = ''
  }
  return `${name}${tag === '' ? '' : `:${tag}`}${digest === '' ? '' : `@${digest}`}`
}

function splitImage(reference: string): { readonly name: string; readonly tag: string; readonly digest: string } {
  const slash = Math.max(reference.indexOf('/'), 0)
  const rest = reference.slice(slash)
  const atSign = rest.indexOf('@')
  const colon = rest.indexOf(':')
  if (atSign < 0 && colon < 0) return { name: reference, tag: '', digest: '' }
  if (atSign >= 0 && (atSign < colon || colon < 0))
    return { name: reference.slice(0, slash + atSign), tag: '', digest: rest.slice(atSign + 1) }
  const name = reference.slice(0, slash + colon)
  if (atSign >= 0) return { name, tag: rest.slice(colon + 1, atSign), digest: rest.slice(atSign + 1) }
  return { name, tag: rest.slice(colon + 1), digest: '' }
}
