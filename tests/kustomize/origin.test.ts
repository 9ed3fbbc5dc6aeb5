import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../src/lib/error/sluice-error.ts'
import { build, type BuildResult } from '../../src/lib/kustomize/build.ts'
import { leavesBelow, originOf } from '../../src/lib/kustomize/explain/field-origin.ts'
import { treeOfFiles } from '../../src/lib/kustomize/files/tree.ts'
import { generateTree } from './generate-tree.ts'

/** On random trees every leaf of the output has an origin, in a file that there is, and what the last step left is what it is. */
test('origin: every leaf of random trees has one, in a line that there is', () => {
  let leaves = 0
  for (let seed = 0; seed < 40; seed++) {
    const files = generateTree(seed)
    for (const tree of built(files)?.trees ?? [])
      for (const leaf of leavesBelow(tree)) {
        leaves++
        const { path, where, steps } = originOf(leaf)
        const told = `${seed}: ${path}`
        assert.ok(steps.length > 0 && where, told)
        const lines = files.get(where.file)?.split('\n')
        assert.ok(lines && where.line <= lines.length && where.column <= (lines[where.line - 1]?.length ?? 0) + 1, told)
        assert.equal(steps.at(-1)?.value, leaf.node.kind === 'scalar' ? leaf.node.value : '', told)
        for (const { by, configuredIn } of steps)
          assert.ok(configuredIn || by === 'HashTransformer' || by === 'NameReferenceTransformer', `${told} ${by}`)
      }
  }
  assert.ok(leaves > 3000, String(leaves))
})

function built(files: Map<string, string>): BuildResult | undefined {
  try {
    return build(treeOfFiles(files), '/top', { origin: true })
  } catch (error) {
    if (error instanceof SluiceError) return undefined
    throw error
  }
}
