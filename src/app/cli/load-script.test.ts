import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { cachePathOf, loadScript } from './load-script.ts'

test('only the code that this release of Node has compiled is taken: V8 knows a Node 20 from another by nothing, and crashes', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-script-'))
  try {
    const path = join(dir, 'script.cjs')
    writeFileSync(path, '(function (module) { module.exports.runAlone = async () => 0 })')
    const load = () => loadScript(path, createRequire(resolve('package.json')), { isCached: true }).script
    const cache = load().createCachedData()
    for (const name of [`${path}.cache`, cachePathOf(path).replace(process.version, 'v20.0.0')])
      writeFileSync(name, cache)
    assert.equal(load().cachedDataRejected, undefined)
    writeFileSync(cachePathOf(path), cache)
    assert.equal(load().cachedDataRejected, false)
  } finally {
    rmSync(dir, { recursive: true })
  }
})
