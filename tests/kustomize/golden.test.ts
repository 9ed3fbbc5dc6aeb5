// Small trees that once came out otherwise than from kustomize 5.8.1, which wrote their `want.yaml`.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { diskTree } from '../../src/adapters/files/disk-tree.ts'
import { build, renderBuild } from '../../src/lib/kustomize/build.ts'

const root = resolve('tests/fixtures/kustomize-golden')
for (const name of readdirSync(root))
  test(`kustomize: ${name} is what the original prints`, () => {
    const result = build(diskTree(), join(root, name, 'input'), { reorder: 'legacy' })
    assert.equal(renderBuild(result), readFileSync(join(root, name, 'want.yaml'), 'utf8'))
  })
