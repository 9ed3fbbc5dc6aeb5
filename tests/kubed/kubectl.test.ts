import assert from 'node:assert/strict'
import { basename } from 'node:path'
import { test } from 'node:test'
import { recordedKubectls, runProcedures, whyNot, withSimulatedPods } from '../support/kubectl-procedures.ts'
import { type Answer, runKubectl } from '../support/run-kubectl.ts'
import { LONG_MS } from '../support/wait.ts'

/** What depends on the moment, or on programs that really run: which pods a rollout has got to, and logs. */
const OF_THE_MOMENT = /^kubectl (delete pod -l|logs) /
/** Until 1.28 it tells how the server was compiled, which kubed was not. */
const OF_THE_BUILD: Readonly<Record<string, string>> = { 'kubectl.1.27': 'kubectl version' }
const options = { skip: whyNot(), timeout: LONG_MS }

for (const path of recordedKubectls()) {
  const name = basename(path)
  test(
    `${name} does every command of the procedures on kubed with simulated pods, and prints what it prints on the real server`,
    options,
    async () => {
      const { result, failures, differing } = await runProcedures(path)
      assert.equal(result, 'RESULT pass=62 fail=0', failures)
      assert.deepEqual(
        differing.filter((command) => !OF_THE_MOMENT.test(command) && command !== OF_THE_BUILD[name]),
        [],
      )
    },
  )

  test(`${name} drain empties a node as far as budgets allow, and uncordon fills it again`, options, () =>
    withSimulatedPods(async (kubeconfig) => {
      const kubectl = (...words: string[]): Promise<Answer> => runKubectl(path, kubeconfig, words)
      const well = async (...words: string[]): Promise<string> => {
        const { code, stdout, stderr } = await kubectl(...words)
        assert.equal(code, 0, `kubectl ${words.join(' ')}: ${stderr}`)
        return stdout
      }
      await well('create', 'deployment', 'web', '--image=web', '--replicas=2')
      await well('create', 'pdb', 'web', '--selector=app=web', '--min-available=1')
      await well('rollout', 'status', 'deployment/web')
      await well('wait', 'pdb/web', '--for=jsonpath={.status.disruptionsAllowed}=1')

      const held = await kubectl('drain', 'node-1', '--ignore-daemonsets', '--timeout=8s')
      assert.equal(held.code, 1)
      assert.match(held.stderr, /Cannot evict pod as it would violate the pod's disruption budget/)
      assert.match(await well('get', 'node', 'node-1', '--no-headers'), /Ready,SchedulingDisabled/)

      await well('delete', 'pdb', 'web')
      assert.match(await well('drain', 'node-1', '--ignore-daemonsets', '--timeout=60s'), /node\/node-1 drained/)
      const placed = '--field-selector=spec.nodeName=node-1'
      assert.equal(await well('get', 'pods', '-l', 'app=web', placed, '-o', 'name'), '')

      await well('uncordon', 'node-1')
      await well('rollout', 'status', 'deployment/web', '--timeout=60s')
    }),
  )
}
