import type { ObjectRef } from '../../lib/kube/object.ts'
import { isCalled, originOf } from '../../lib/kustomize/explain/field-origin.ts'
import { followPath, parseFieldPath, type PathStep } from '../../lib/kustomize/explain/field-path.ts'
import type { Finding } from '../../lib/kustomize/findings.ts'
import { findInObjects } from '../../lib/kustomize/explain/find-in-objects.ts'
import type { YamlMap, YamlNode } from '../../lib/yaml/nodes.ts'
import { whereIs } from '../../lib/yaml/position.ts'

/** Where the cause of a refusal stands, `file:line:column`, and what to do where that is known. */
export type RefusalPlace = { readonly where: string; readonly hint: string | undefined }

/** Most letters of a refusal that are looked through; the server's lists of faults can be long. */
const MOST_TEXT = 4_096

/**
 * Finds the place in Git that the API server's words are about: the field that they name, as deep as the object has it; else the object.
 *
 * @param trees of a build with `origin: true`
 */
export function placeRefusal(
  trees: readonly YamlMap[],
  { apiVersion, kind, name, namespace }: ObjectRef,
  message: string,
): RefusalPlace | undefined {
  const called = trees.filter((tree) => isCalled(tree, { apiVersion, kind, name }))
  const tree = called.find((one) => isCalled(one, { kind, name, namespace })) ?? called[0]
  if (tree === undefined) return undefined
  const paths = pathsIn(message.slice(0, MOST_TEXT))
  const unknown = unknownField(tree, paths)
  if (unknown?.where !== undefined) return { where: unknown.where, hint: unknown.hint }
  const depths = paths.map((path) => deepest(tree, path))
  const best = depths.reduce((a, b) => (b.depth > a.depth ? b : a), { node: tree as YamlNode, depth: 0 })
  const where = placeOf(best.node) ?? whereIs(tree)
  return where === undefined ? undefined : { where, hint: namespaceHint(message) ?? hintAt(tree, where) }
}

const NO_NAMESPACE = /namespaces "([^"]*)" not found/

function namespaceHint(message: string): string | undefined {
  const missing = NO_NAMESPACE.exec(message)?.[1]
  return missing && `put a Namespace ${missing} beside its objects in Git, or name one that is there`
}

/** The server finds an item of a list by keys that it fills in itself, so its name alone is compared. */
function unknownField(tree: YamlMap, paths: readonly (readonly PathStep[])[]): Finding | undefined {
  const names = new Set(paths.map((path) => path.at(-1)))
  const nameOf = ({ message }: Finding): PathStep | undefined => parseFieldPath(message).at(-1)
  return findInObjects([tree]).find((finding) => finding.code === 'UNKNOWN_FIELD' && names.has(nameOf(finding)))
}

/** A value that a transformer set is where it was asked for. */
function placeOf(node: YamlNode): string | undefined {
  const { where } = originOf({ node, path: [] })
  return node.touch && where ? `${where.file}:${where.line}:${where.column}` : whereIs(node)
}

/** What the checks before an apply would have said of that very place. */
function hintAt(tree: YamlMap, where: string): string | undefined {
  return findInObjects([tree]).find((finding) => finding.where === where)?.hint
}

/** The fields that a refusal names: `.spec.x: …` of a typed patch, `spec.x[0]: …` of a validation, `unknown field "spec.x"`. */
function pathsIn(message: string): readonly (readonly PathStep[])[] {
  if (NO_NAMESPACE.test(message)) return [['metadata', 'namespace']]
  const named = [...message.matchAll(/unknown field "([^"]+)"/g)].map(([, path = '']) => path)
  const faulty = [...message.matchAll(/(?<![\w/])\.?([a-z]\w*(?:\.[\w/-]+|\[[^\]\s]*\])*): /g)].map(
    ([, path = '']) => path,
  )
  return [...named, ...faulty].map((path) => parseFieldPath(plainKeys(path)))
}

/** `[containerPort=80,protocol="TCP"]` -> `[containerPort=80]`: one key finds the item well enough. */
function plainKeys(path: string): string {
  return path.replace(/\[(\w+)="?([^",\]]*)[^\]]*\]/g, '[$1=$2]')
}

function deepest(tree: YamlMap, path: readonly PathStep[]): { readonly node: YamlNode; readonly depth: number } {
  for (let depth = path.length; depth > 0; depth--) {
    const found = followPath(tree, path.slice(0, depth))
    if (found) return { node: found.node, depth: found.path.length }
  }
  return { node: tree, depth: 0 }
}
