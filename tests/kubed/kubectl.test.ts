import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findKubectls, runProcedures, whyNot } from '../support/kubectl-procedures.ts'

test(
  'kubectl does every command of the procedures on kubed with simulated pods',
  { skip: whyNot(), timeout: 90_000 },
  async () => {
    const [kubectl = ''] = findKubectls()
    const { result, failures } = await runProcedures(kubectl)
    assert.equal(result, 'RESULT pass=62 fail=0', failures)
  },
)
