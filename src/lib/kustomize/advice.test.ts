import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../error/sluice-error.ts'
import { advised } from './advice.ts'

const remote = 'check the address, its ref, and the network'
const cases: readonly { readonly it: string; readonly error: SluiceError; readonly want: string }[] = [
  {
    it: 'a remote file that nobody serves',
    error: new SluiceError(
      'KUSTOMIZE_BUILD',
      `accumulating resources: accumulation err='accumulating resources from 'https://h/x.yaml': Get "https://h/x.yaml": connection refused': must build at directory`,
    ),
    want: remote,
  },
  {
    it: 'a remote base that git cannot fetch',
    error: new SluiceError(
      'KUSTOMIZE_BUILD',
      `failed to run '/usr/bin/git fetch --depth=1 https://github.com/org/none v1': fatal: Could not resolve host`,
    ),
    want: remote,
  },
  { it: 'a remote base, whatever was said', error: new SluiceError('KUSTOMIZE_REMOTE', 'no'), want: remote },
  { it: 'anything else', error: new SluiceError('KUSTOMIZE_BUILD', 'no'), want: 'fix the object at this place' },
  {
    it: 'nothing where the error says it itself',
    error: new SluiceError('KUSTOMIZE_REMOTE', 'no', { hint: 'push it' }),
    want: 'push it',
  },
]
for (const { it, error, want } of cases)
  test(`the advice is for ${it}`, () => {
    const told = advised(error, 'kustomization.yaml:1:1')
    assert.ok(told instanceof SluiceError)
    assert.deepEqual([told.hint, told.where], [want, 'kustomization.yaml:1:1'])
  })
