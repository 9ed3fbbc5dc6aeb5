import { parseDocuments } from '../../yaml/parse-documents.ts'
import { type YamlNode } from '../../yaml/nodes.ts'
import { renderBuild, type BuildResult } from '../build.ts'
import { leavesBelow, originOf, type FieldOrigin, type Leaf } from './field-origin.ts'

/**
 * The text of a build with a comment behind each value that says where it came from; still the same YAML.
 *
 * @param result of a build with `origin: true`
 * @param describe what to say of a value; undefined for nothing
 */
export function renderWithOrigins(result: BuildResult, describe: (origin: FieldOrigin) => string | undefined): string {
  const texts = result.objects.map((object, index) => {
    const text = renderBuild({ objects: [object] })
    const tree = result.trees?.[index]
    const root = parseDocuments(text)[0]?.root
    return tree && root ? withComments(text, root, tree, (leaf) => describe(originOf(leaf))) : text
  })
  return texts.join('---\n')
}

function withComments(
  text: string,
  root: YamlNode,
  tree: YamlNode,
  describe: (leaf: Leaf) => string | undefined,
): string {
  let out = ''
  let from = 0
  for (const { node, path } of leavesBelow(root)) {
    const origin = nodeAt(tree, path)
    const comment = origin && describe({ node: origin, path })
    if (comment === undefined) continue
    const at = commentPlace(text, node)
    out += `${text.slice(from, at)}  # ${comment.replaceAll('\n', ' ')}`
    from = at
  }
  return out + text.slice(from)
}

/** The end of the value's last line; of its first for a block, where a comment would be text further down. */
function commentPlace(text: string, node: YamlNode): number {
  const isBlock = node.kind === 'scalar' && (node.style === 'literal' || node.style === 'folded')
  const end = text.indexOf('\n', isBlock ? node.start : node.end)
  return end < 0 ? text.length : end
}

function nodeAt(tree: YamlNode, path: readonly (string | number)[]): YamlNode | undefined {
  let at: YamlNode | undefined = tree
  for (const step of path) {
    if (at?.kind === 'map') at = at.fields.get(String(step))
    else at = at?.kind === 'seq' ? at.items[Number(step)] : undefined
  }
  return at
}
