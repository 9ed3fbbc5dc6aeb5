import { mapNode, stringNode } from '../../yaml/make-nodes.ts'
import { ORIGIN, renderOrigin, renderTransformations, TRANSFORMATIONS } from './origin.ts'
import { messageOf } from '../failure.ts'
import { goJson } from './hash.ts'
import { copyResource, currentId, fieldMap, metadataOf, type Resource } from './resource.ts'
import { printedValue } from '../../yaml/write/reprint.ts'
import { toValue } from '../../yaml/to-value.ts'

/**
 * Kustomize keeps what it knows of an object in annotations of the object itself, so that some patches see them, or take them out.
 * Here they are fields of the resource, and stand among the annotations only while such a patch runs.
 *
 * @see https://github.com/kubernetes-sigs/kustomize/blob/master/api/internal/utils/annotations.go
 */
const DOMAIN = 'internal.config.kubernetes.io/'

/** The names of these annotations; an object that comes with one of them loses it in the end. */
const NOTES = new Set([
  ...['previousKinds', 'previousNames', 'previousNamespaces', 'prefixes', 'suffixes', 'refBy'].map(
    (name) => DOMAIN + name,
  ),
  ...['allowNameChange', 'allowKindChange', 'generatorBehavior', 'needsHashSuffix'].map((name) => DOMAIN + name),
  ...['path', 'index', 'seqindent', 'id', 'annotations-migration-resource-id'].map((name) => DOMAIN + name),
  'config.kubernetes.io/path',
  'config.kubernetes.io/index',
  'config.k8s.io/id',
  'internal.config.kubernetes.io/helm-generated',
])

/** Whether an annotation is one of kustomize's own, and no part of what it prints. */
export function isNote(name: string): boolean {
  return NOTES.has(name)
}

/** Takes notes that an object came with, such as one that another build has left there, for the build's own. */
export function readNotes(resource: Resource): void {
  const annotations = fieldMap(fieldMap(resource.node, 'metadata'), 'annotations')
  if (!annotations?.fields.has(`${DOMAIN}previousNames`)) return
  const listOf = (name: string): string[] => {
    const note = annotations.fields.get(DOMAIN + name)
    return note?.kind === 'scalar' ? note.value.split(',') : []
  }
  const [names, namespaces, kinds] = ['previousNames', 'previousNamespaces', 'previousKinds'].map(listOf)
  if (!names || names.length !== namespaces?.length || names.length !== kinds?.length) return
  const { group, version } = currentId(resource)
  resource.previousIds = names.map((name, index) => ({
    ...{ group, version, name },
    kind: kinds[index] ?? '',
    namespace: namespaces[index] ?? '',
  }))
  resource.prefixes = listOf('prefixes')
  resource.suffixes = listOf('suffixes')
}

/** Writes the notes into the annotations. */
export function showNotes(resource: Resource): void {
  const metadata = metadataOf(resource)
  const old = metadata.fields.get('annotations')
  const annotations = old?.kind === 'map' ? old : mapNode()
  for (const [name, value] of notesOf(resource)) annotations.fields.set(DOMAIN + name, stringNode(value))
  if (resource.origin) annotations.fields.set(ORIGIN, stringNode(renderOrigin(resource.origin)))
  if (resource.transformations.length > 0)
    annotations.fields.set(TRANSFORMATIONS, stringNode(renderTransformations(resource.transformations)))
  if (annotations.fields.size > 0) metadata.fields.set('annotations', annotations)
}

/** The value of an object as errors of kustomize show it, with what it keeps in annotations. */
export function valueWithNotes(resource: Resource): unknown {
  const copy = copyResource(resource)
  showNotes(copy)
  return toValue(copy.node, { integers: 'bigint' })
}

/** The JSON text of an object in errors of kustomize; one that is none says why. */
export function objectText(resource: Resource): string {
  const copy = copyResource(resource)
  showNotes(copy)
  try {
    return goJson(printedValue(copy.node))
  } catch (error) {
    return `<${messageOf(error)}>`
  }
}

function notesOf({ previousIds, prefixes, suffixes, behavior, needsHash }: Resource): [name: string, value: string][] {
  const notes: [string, string][] = []
  if (behavior !== undefined) notes.push(['generatorBehavior', behavior])
  if (needsHash) notes.push(['needsHashSuffix', 'enabled'])
  if (prefixes.length > 0) notes.push(['prefixes', prefixes.join(',')])
  if (suffixes.length > 0) notes.push(['suffixes', suffixes.join(',')])
  if (previousIds.length === 0) return notes
  return [
    ...notes,
    ['previousKinds', previousIds.map((id) => id.kind).join(',')],
    ['previousNames', previousIds.map((id) => id.name).join(',')],
    ['previousNamespaces', previousIds.map((id) => id.namespace).join(',')],
  ]
}

/** Takes the notes out of the annotations again; what a JSON patch did to kustomize's own does not count. */
export function hideNotes(resource: Resource): void {
  const metadata = fieldMap(resource.node, 'metadata')
  const annotations = fieldMap(metadata, 'annotations')
  if (resource.origin && !annotations?.fields.delete(ORIGIN)) resource.origin = undefined
  if (resource.transformations.length > 0 && !annotations?.fields.delete(TRANSFORMATIONS)) resource.transformations = []
  for (const name of annotations?.fields.keys() ?? []) if (isNote(name)) annotations?.fields.delete(name)
  if (annotations?.fields.size === 0) metadata?.fields.delete('annotations')
}

/** Takes the notes out of the annotations again, and forgets those that a merge took out. */
export function rereadNotes(resource: Resource): void {
  const annotations = fieldMap(fieldMap(resource.node, 'metadata'), 'annotations')
  const has = (name: string): boolean => annotations?.fields.has(DOMAIN + name) === true
  if (!has('previousNames')) resource.previousIds = []
  if (!has('prefixes')) resource.prefixes = []
  if (!has('suffixes')) resource.suffixes = []
  if (!has('needsHashSuffix')) resource.needsHash = false
  if (!has('generatorBehavior')) resource.behavior = undefined
  hideNotes(resource)
}
