import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertLinear } from '../../../tests/support/cpu-time.ts'
import { shortBuildCause } from './short-cause.ts'

const through = (folder: string): string =>
  `accumulating resources: accumulation err='accumulating resources from '../${folder}': read ${folder}: is a directory': recursed accumulation of path '${folder}': `
const broken =
  "MalformedYAMLError: yaml: line 46: did not find expected ',' or ']' in File: deployment.yaml (close the [)"

const cases: readonly [it: string, message: string, want: string][] = [
  [
    'names the file and the fault, not the folders between',
    `apps/web/deployment.yaml:48:1: kustomize build failed: ${through('environments/base')}${through('apps')}accumulating resources: accumulating resources from 'deployment.yaml': ${broken}`,
    `apps/web/deployment.yaml:48:1: ${broken}`,
  ],
  [
    'keeps what names a missing file',
    `kustomize build failed: ${through('apps')}accumulating resources: accumulation err='accumulating resources from 'nope.yaml': open apps/nope.yaml: no such file or directory': must build at directory`,
    "kustomize build failed: accumulating resources: accumulation err='accumulating resources from 'nope.yaml': open apps/nope.yaml: no such file or directory': must build at directory",
  ],
  ['keeps every other text', 'post build failed for x: no', 'post build failed for x: no'],
]
for (const [it, message, want] of cases) test(`a short cause ${it}`, () => assert.equal(shortBuildCause(message), want))

test('a long message is shortened in time that grows with it', () => {
  assertLinear((times) => {
    const long = "accumulating resources: accumulation err='accumulating resources from '".repeat(times)
    assert.equal(shortBuildCause(long), long)
  }, 20_000)
})
