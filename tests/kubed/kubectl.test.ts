import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordedKubectl, runProcedures, whyNot } from '../support/kubectl-procedures.ts'
import { LONG_MS } from '../support/wait.ts'

/** What depends on the moment, or on programs that really run: which pods a rollout has got to, and logs. */
const OF_THE_MOMENT = /^kubectl (delete pod -l|logs) /

test(
  'kubectl does every command of the procedures on kubed with simulated pods, and prints what it prints on the real server',
  { skip: whyNot(), timeout: LONG_MS },
  async () => {
    const { result, failures, differing } = await runProcedures(recordedKubectl())
    assert.equal(result, 'RESULT pass=62 fail=0', failures)
    assert.deepEqual(
      differing.filter((command) => !OF_THE_MOMENT.test(command)),
      [],
    )
  },
)
