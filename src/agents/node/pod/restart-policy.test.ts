import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mayRestart, restartsAll } from './restart-policy.ts'
import type { Container, PodSpec } from './shapes.ts'

const web: Container = { name: 'web', image: 'web:1' }
const rules = (operator: string): Partial<Container> => ({
  restartPolicy: 'Never',
  restartPolicyRules: [{ action: 'Restart', exitCodes: { operator, values: [42] } }],
})

const cases: { it: string; spec?: Partial<PodSpec>; own?: Partial<Container>; code: number; want: boolean }[] = [
  { it: 'always, when nothing is said', code: 0, want: true },
  { it: 'after a failure by OnFailure', spec: { restartPolicy: 'OnFailure' }, code: 1, want: true },
  { it: 'not after success by OnFailure', spec: { restartPolicy: 'OnFailure' }, code: 0, want: false },
  { it: 'not by Never', spec: { restartPolicy: 'Never' }, code: 1, want: false },
  { it: 'by its own policy', spec: { restartPolicy: 'Never' }, own: { restartPolicy: 'Always' }, code: 0, want: true },
  { it: 'not by its own policy', own: { restartPolicy: 'Never' }, code: 1, want: false },
  { it: 'by a rule, whatever its policy is', own: rules('In'), code: 42, want: true },
  { it: 'not by a rule for other codes', own: rules('In'), code: 1, want: false },
  { it: 'by a rule for all other codes', own: rules('NotIn'), code: 1, want: true },
]
for (const { it, spec, own, code, want } of cases)
  test(`a container is started again ${it}`, () => {
    const container = { ...web, ...own }
    assert.equal(mayRestart({ containers: [container], ...spec }, container, code), want)
  })

test('an init container is done when it ended well, a sidecar never, a debug container at once', () => {
  const sidecar: Container = { ...web, restartPolicy: 'Always' }
  assert.equal(mayRestart({ containers: [], initContainers: [web] }, web, 0), false)
  assert.equal(mayRestart({ containers: [], initContainers: [web] }, web, 1), true)
  assert.equal(mayRestart({ containers: [], initContainers: [web], restartPolicy: 'Never' }, web, 1), false)
  assert.equal(mayRestart({ containers: [], initContainers: [sidecar], restartPolicy: 'Never' }, sidecar, 0), true)
  assert.equal(mayRestart({ containers: [], ephemeralContainers: [web] }, web, 1), false)
})

test('the first rule that is meant says whether all containers are started anew', () => {
  const rule = (action: string, ...values: number[]) => ({ action, exitCodes: { operator: 'In', values } })
  const container: Container = {
    ...web,
    restartPolicy: 'Never',
    restartPolicyRules: [rule('Restart', 1), rule('RestartAllContainers', 1, 2)],
  }
  const answers = [1, 2, 3].map((code) => [
    restartsAll(container, code),
    mayRestart({ containers: [container] }, container, code),
  ])
  assert.deepEqual(answers, [
    [false, true],
    [true, true],
    [false, false],
  ])
})
