import { type Json, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { invalidValue, type Place, push, required, unsupported } from '../fault-list.ts'

const RESTARTS = ['Always', 'Never', 'OnFailure']
const ACTIONS = ['Restart', 'RestartAllContainers']
const MOST_RULES = 20

/** What a container may be restarted for, and how. @see k8s.io/kubernetes/pkg/apis/core/validation validateContainerRestartPolicy */
export function checkRestarts(container: JsonObject, path: string, { list }: Place, errors: FieldError[]): void {
  const { restartPolicy: policy, restartPolicyRules } = container
  const rules = objectsOf(restartPolicyRules)
  const at = `${path}.restartPolicy`
  if (policy === undefined) {
    if (rules.length === 0) return
    required(errors, at, 'must specify restartPolicy when restart rules are used')
    if (list === 'initContainers') return
  } else if (!RESTARTS.includes(stringOf(policy))) unsupported(errors, at, policy, RESTARTS)
  if (rules.length > MOST_RULES)
    push(errors, `${at}Rules`, 'TooMany', `Too many: ${rules.length}: must have at most ${MOST_RULES} items`)
  rules.forEach(({ action, exitCodes }, index) => {
    const here = `${at}Rules[${index}]`
    if (!ACTIONS.includes(stringOf(action))) unsupported(errors, `${here}.action`, stringOf(action), ACTIONS)
    if (exitCodes === undefined) return required(errors, `${here}.exitCodes`, 'must be specified')
    const { operator } = objectOf(exitCodes)
    if (operator !== 'In' && operator !== 'NotIn')
      unsupported(errors, `${here}.exitCodes.operator`, stringOf(operator), ['In', 'NotIn'])
  })
}

/** How a container's amounts may change while it runs. */
export function checkResizing(policies: Json | undefined, path: string, errors: FieldError[], pod: JsonObject): void {
  const seen = new Set<string>()
  for (const [index, each] of listOf(policies).entries()) {
    const [name, restart] = [objectOf(each).resourceName, objectOf(each).restartPolicy].map(stringOf)
    if (seen.has(name ?? '')) push(errors, `${path}[${index}]`, 'Duplicate', `Duplicate value: ${JSON.stringify(name)}`)
    seen.add(name ?? '')
    if (name === '') required(errors, path)
    else if (name !== 'cpu' && name !== 'memory') unsupported(errors, path, name, ['cpu', 'memory'])
    if (restart === '') required(errors, path)
    else if (restart !== 'NotRequired' && restart !== 'RestartContainer')
      unsupported(errors, path, restart, ['NotRequired', 'RestartContainer'])
    if (pod.restartPolicy === 'Never' && restart !== 'NotRequired')
      invalidValue(errors, path, restart, "must be 'NotRequired' when pod `restartPolicy` is 'Never'")
  }
}
