// Every kubectl at hand does every command of the procedures on kubed.
import { basename } from 'node:path'
import { findKubectls, runProcedures, whyNot } from '../support/kubectl-procedures.ts'

const reason = whyNot()
if (reason !== false) console.log(`skipped: ${reason}`)
else
  for (const kubectl of findKubectls()) {
    const { result, failures, seconds } = await runProcedures(kubectl)
    console.log(JSON.stringify({ kubectl: basename(kubectl), result, seconds }))
    if (result !== 'RESULT pass=62 fail=0') {
      console.error(failures)
      process.exitCode = 1
    }
  }
