import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { BuildResult } from '../../../lib/kustomize/build.ts'
import { leavesBelow, originOf, type FieldOrigin } from '../../../lib/kustomize/explain/field-origin.ts'
import { followPath, parseFieldPath, renderFieldPath } from '../../../lib/kustomize/explain/field-path.ts'
import { fieldText } from '../../../lib/kustomize/objects/resource.ts'
import { nearest } from '../../../lib/value/nearest.ts'
import type { YamlMap } from '../../../lib/yaml/nodes.ts'
import { isNameOfKind } from './built-kinds.ts'

/** What `sluice blame` was asked for. */
export type Question = {
  readonly kind: string
  readonly name: string
  readonly namespace: string | undefined
  readonly field: string
}

/** Finds the object and its leaves below the field; an object may be called by a name that it had before a prefix or a hash. */
export function findLeaves(
  result: BuildResult,
  question: Question,
): { readonly title: string; readonly leaves: readonly FieldOrigin[] } {
  const tree = findTree(result.trees ?? [], question)
  const title = titleOf(tree)
  const found = followPath(tree, parseFieldPath(question.field))
  if (found) return { title, leaves: leavesBelow(found.node, found.path).map(originOf) }
  const paths = leavesBelow(tree).flatMap(({ path }) => path.map((_, end) => renderFieldPath(path.slice(0, end + 1))))
  throw new SluiceError('FIELD_MISSING', `${title} has no field ${question.field}`, {
    hint: suggestion(nearest(question.field, paths), `sluice blame ${question.kind}/${question.name} lists all fields`),
  })
}

function findTree(trees: readonly YamlMap[], { kind, name, namespace }: Question): YamlMap {
  const ofKind = trees.filter((tree) => isNameOfKind(kind, fieldText(tree, 'kind')))
  const inNamespace = ofKind.filter(
    (tree) => namespace === undefined || fieldText(tree.fields.get('metadata'), 'namespace') === namespace,
  )
  const byName = inNamespace.filter((tree) => fieldText(tree.fields.get('metadata'), 'name') === name)
  const found = byName.length > 0 ? byName : inNamespace.filter((tree) => namesOf(tree).includes(name))
  const [tree, second] = found
  if (tree && !second) return tree
  if (tree) {
    const names = found.map(titleOf).join(', ')
    throw new SluiceError('OBJECT_MISSING', `${kind}/${name} is not one object: ${names}`, {
      hint: 'name its namespace with -n, or its whole name',
    })
  }
  const all = trees.map((one) => `${fieldText(one, 'kind')}/${fieldText(one.fields.get('metadata'), 'name')}`)
  const near = nearest(`${fieldText(ofKind[0], 'kind') || kind}/${name}`, all)
  throw new SluiceError('OBJECT_MISSING', `the build has no ${kind}/${name}${namespace ? ` in ${namespace}` : ''}`, {
    hint: suggestion(
      near,
      all.length > 0 ? `it has ${all.slice(0, 10).join(', ')}${all.length > 10 ? ', …' : ''}` : 'it is empty',
    ),
  })
}

/** Every name that the object had on its way through the build. */
function namesOf(tree: YamlMap): readonly string[] {
  const metadata = tree.fields.get('metadata')
  const names: string[] = []
  const name = metadata?.kind === 'map' ? metadata.fields.get('name') : undefined
  for (let touch = name?.touch; touch; touch = touch.before) names.push(touch.value)
  return names
}

function titleOf(tree: YamlMap): string {
  const metadata = tree.fields.get('metadata')
  const namespace = fieldText(metadata, 'namespace')
  return `${fieldText(tree, 'kind')}/${fieldText(metadata, 'name')}${namespace ? ` -n ${namespace}` : ''}`
}

function suggestion(near: readonly string[], otherwise: string): string {
  return near.length > 0 ? `did you mean ${near.join(' or ')}?` : otherwise
}
