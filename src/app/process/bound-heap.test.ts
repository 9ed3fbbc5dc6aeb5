import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

/** Lives for a while, then dies: what V8 takes for old. A process of its own, because the flags are the whole process's. */
const CHURN = `
  const kept = []
  let most = 0
  for (let turn = 0; turn < 400; turn++) {
    kept.push(Array.from({ length: 4000 }, (_, n) => ({ n, text: 'x' + n })))
    if (kept.length > 40) kept.shift()
    most = Math.max(most, process.memoryUsage().heapTotal)
    await new Promise((later) => setTimeout(later, 1))
  }
  console.log(most)
`

test('a heap that is bounded stays near what is in use', async () => {
  const bounded = `const { boundHeap } = await import(${JSON.stringify(resolve('src/app/process/bound-heap.ts'))}); boundHeap();`
  const [free, held] = await Promise.all([peakOf(CHURN), peakOf(bounded + CHURN)])
  assert.ok(held < 0.8 * free, `${held} of ${free} bytes`)
})

async function peakOf(code: string): Promise<number> {
  const argv = ['--import', 'tsx', '--input-type=module', '--eval', code]
  const { stdout } = await promisify(execFile)(process.execPath, argv)
  return Number(stdout)
}
