import type { YamlMap, YamlNode } from '../../yaml/nodes.ts'
import type { Build } from './accumulator.ts'
import { findingAt } from '../findings.ts'
import { mergeSchemaOf } from '../schema/merge-keys.ts'
import { fieldMap, fieldText, type Resource } from '../objects/resource.ts'
import type { ImageMatch } from '../transform/transform-images.ts'
import type { Patch } from '../patches/transform-patches.ts'

/** A patch whose target selects nothing. */
export function findUnmatched(build: Build, patch: Patch, field: string): void {
  if (patch.kind === 'strategic' && patch.patches.length === 0) return
  const { kind, name } = patch.target ?? {}
  const wanted = [kind, name].filter((part) => part !== undefined && part !== '').join('/')
  const message = `the target of ${field}${wanted === '' ? '' : ` (${wanted})`} selects no object`
  const place = patch.node.fields.get('target') ?? patch.node
  build.find(
    findingAt(
      'PATCH_NO_MATCH',
      message,
      place,
      'check kind, name and selectors; remove the patch when it is not needed',
    ),
  )
}

/** An `images` entry that matches nothing, or an image of another name. */
export function findInImages(build: Build, { image, count, other }: ImageMatch): void {
  const place = image.node.fields.get('name') ?? image.node
  if (count === 0) {
    const hint = 'write the name as the manifests do, with the registry and without the tag'
    build.find(findingAt('IMAGE_NO_MATCH', `images: no image is called "${image.name}"`, place, hint))
  } else if (other !== undefined) {
    const message = `images: "${image.name}" is read as a regular expression, and matches "${other}"`
    const hint = `write ${image.name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')} for the name as it stands`
    build.find(findingAt('IMAGE_NAME_REGEXP', message, place, hint))
  }
}

/** Lists of objects that a strategic merge patch replaces, because nobody knows their keys. */
export function findReplacedLists(build: Build, { node }: Resource, patch: YamlMap): void {
  const lookup = build.schema ?? mergeSchemaOf
  const [apiVersion, kind] = [fieldText(node, 'apiVersion'), fieldText(node, 'kind')]
  if (lookup(apiVersion, kind)) return
  const title = `${kind}/${fieldText(fieldMap(node, 'metadata'), 'name')}`
  for (const { path, list } of replacedLists(node, patch, []))
    build.find(
      findingAt(
        'PATCH_REPLACES_LIST',
        `the patch replaces the whole list ${path} of ${title}, whose keys are not known`,
        list,
        'write all items, use a JSON patch, or name a schema with openapi.path',
      ),
    )
}

type Replaced = { readonly path: string; readonly list: YamlNode }

function replacedLists(object: YamlMap, patch: YamlMap, path: readonly string[]): readonly Replaced[] {
  return [...patch.fields].flatMap(([name, given]) => {
    const own = object.fields.get(name)
    const below = [...path, name]
    if (own?.kind === 'map' && given.kind === 'map') return replacedLists(own, given, below)
    if (own?.kind !== 'seq' || given.kind !== 'seq' || !own.items.some(({ kind }) => kind === 'map')) return []
    const isMeant = given.items.some((item) => item.kind === 'map' && item.fields.has('$patch'))
    return isMeant ? [] : [{ path: below.join('.'), list: given }]
  })
}
