import { parseDocuments } from '../../yaml/parse-documents.ts'
import { mapNode } from '../../yaml/make-nodes.ts'
import { type YamlMap, type YamlNode } from '../../yaml/nodes.ts'
import { decodeStruct, type Decoded } from './decode.ts'
import { fieldNode, nodeOf, structsOf, textOf, textsOf } from './decoded-fields.ts'
import { KUSTOMIZATION } from './kustomization.ts'
import { placeLike } from '../objects/provenance.ts'
import type { Loader } from '../files/loader.ts'
import type { Target } from './target.ts'

/** Fields that are laid over the kustomization file that is built, as Flux lays its `spec` over it. JSON, in kustomize's names. */
export type Overlay = Readonly<Record<string, unknown>>

/** A target for a folder without a kustomization file. */
export function generatedTarget(loader: Loader, resources: readonly string[]): Target {
  return { loader, fileName: 'kustomization.yaml', file: { node: mapNode(), resources }, kind: 'Kustomization' }
}

/** Texts replace, and so does `buildMetadata`; other lists are appended, images of the same name are merged field by field. */
export function overlayTarget(target: Target, overlay: Overlay, name: string): Target {
  const root = parseDocuments(JSON.stringify(overlay), name)[0]?.root
  if (!root) return target
  nameNodes(root, name)
  const added = decodeStruct(root, KUSTOMIZATION, 'lenient', `invalid ${name}`)
  const file: Record<string, unknown> = { ...target.file }
  for (const field of ['namespace', 'namePrefix', 'nameSuffix'])
    if (textOf(added, field) !== '') file[field] = added[field]
  if (textsOf(added, 'buildMetadata').length > 0) file['buildMetadata'] = added['buildMetadata']
  for (const field of ['patches', 'patchesStrategicMerge', 'patchesJson6902']) {
    const before = file[field]
    const list = added[field]
    if (Array.isArray(list)) file[field] = [...(Array.isArray(before) ? before : []), ...list]
  }
  const known = textsOf(target.file, 'components')
  file['components'] = [...known, ...textsOf(added, 'components').filter((one) => !known.includes(one))]
  file['node'] = mergedNode(target.file, added)
  file['images'] = mergeImages(structsOf(target.file, 'images'), structsOf(added, 'images'))
  return { ...target, file }
}

/** Nobody sees the text of an overlay: its nodes are at their paths. */
function nameNodes(node: YamlNode, path: string): void {
  placeLike(node, { source: { file: path, text: '' }, start: 0, keyStart: -1 })
  if (node.kind === 'map') for (const [key, value] of node.fields) nameNodes(value, `${path}.${key}`)
  else if (node.kind === 'seq') node.items.forEach((item, index) => nameNodes(item, `${path}[${index}]`))
}

/** The places of what was laid over are those in the overlay, lists go on in it. */
function mergedNode(file: Decoded, added: Decoded): YamlMap {
  const merged = { ...nodeOf(file), fields: new Map(nodeOf(file).fields) }
  for (const [name, node] of nodeOf(added).fields) {
    const before = fieldNode(file, name)
    const isList = before?.kind === 'seq' && node.kind === 'seq'
    merged.fields.set(name, isList ? { ...before, items: [...before.items, ...node.items] } : node)
  }
  return merged
}

/** A new name alone keeps the tag; a new tag or digest takes the place of both. */
function mergeImages(before: readonly Decoded[], added: readonly Decoded[]): readonly Decoded[] {
  const merged = [...before]
  for (const image of added) {
    const at = merged.findIndex((one) => textOf(one, 'name') === textOf(image, 'name'))
    const known = merged[at]
    if (known) merged[at] = mergeImage(known, image)
    else merged.push(image)
  }
  return merged
}

function mergeImage(before: Decoded, added: Decoded): Decoded {
  const [newName, newTag, digest] = [textOf(added, 'newName'), textOf(added, 'newTag'), textOf(added, 'digest')]
  const isRetagged = newTag !== '' || digest !== ''
  return {
    ...before,
    newName: newName || textOf(before, 'newName'),
    newTag: isRetagged ? newTag : textOf(before, 'newTag'),
    digest: isRetagged ? digest : textOf(before, 'digest'),
  }
}
