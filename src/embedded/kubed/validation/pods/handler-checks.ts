import { type JsonObject, numberOf, objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import {
  type Below,
  type Check,
  checkNatural,
  checkWord,
  forbid,
  invalidValue,
  type Place,
  required,
  unsupported,
} from '../fault-list.ts'
import { checkPort } from '../ports.ts'

const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep']
const HEADER =
  "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"
const TIMES = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold']

/** Checks of probes and of what is run at the start and the end of a container. @see k8s.io/kubernetes/pkg/apis/core/validation validateHandler */
export const HANDLER_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.Probe': (probe, path, errors, below) => {
    checkHandler(probe, path, errors, below)
    checkTimes(probe, path, errors)
  },
  'core.v1.Lifecycle': (_lifecycle, _path, _errors, below) => {
    below('postStart')
    below('preStop')
  },
  'core.v1.LifecycleHandler': (handler, path, errors, below, place) =>
    checkHandler(handler, path, errors, below, place),
  'core.v1.ExecAction': ({ command }, path, errors) => {
    if (command === undefined || (Array.isArray(command) && command.length === 0)) required(errors, `${path}.command`)
  },
  'core.v1.HTTPGetAction': (action, path, errors) => {
    if (stringOf(action.path) === '') required(errors, `${path}.path`)
    checkPort(action.port ?? 0, `${path}.port`, errors)
    checkWord(action.scheme, `${path}.scheme`, ['HTTP', 'HTTPS'], errors)
    for (const { name } of objectsOf(action.httpHeaders))
      if (!/^[-A-Za-z0-9]+$/.test(stringOf(name))) invalidValue(errors, `${path}.httpHeaders`, stringOf(name), HEADER)
  },
  'core.v1.TCPSocketAction': ({ port }, path, errors) => checkPort(port ?? 0, `${path}.port`, errors),
  'core.v1.GRPCAction': ({ port, mode }, path, errors) => {
    checkPort(numberOf(port) ?? 0, `${path}.port`, errors)
    if (mode !== undefined && mode !== 'Plaintext' && mode !== 'TLS')
      unsupported(errors, `${path}.mode`, mode, ['Plaintext', 'TLS'])
  },
}

/** One handler, and one only. */
function checkHandler(handler: JsonObject, path: string, errors: FieldError[], below: Below, place?: Place): void {
  const [first, ...others] = HANDLERS.filter((each) => handler[each] !== undefined)
  if (first !== undefined) below(first)
  if (first === 'sleep') checkSleep(handler, path, errors, place)
  for (const extra of others) forbid(errors, `${path}.${extra}`, 'may not specify more than 1 handler type')
  if (first === undefined) required(errors, path, 'must specify a handler type')
}

function checkSleep({ sleep }: JsonObject, path: string, errors: FieldError[], place: Place | undefined): void {
  const seconds = numberOf(objectOf(sleep).seconds) ?? 0
  const grace = numberOf(place?.pod.terminationGracePeriodSeconds)
  if (grace !== undefined && (seconds < 0 || seconds > grace))
    invalidValue(
      errors,
      `${path}.sleep`,
      seconds,
      `must be non-negative and less than terminationGracePeriodSeconds (${grace})`,
    )
}

function checkTimes(probe: JsonObject, path: string, errors: FieldError[]): void {
  for (const field of TIMES) checkNatural(probe[field], `${path}.${field}`, errors)
  const { successThreshold, terminationGracePeriodSeconds: grace } = probe
  const at = `${path}.terminationGracePeriodSeconds`
  if (typeof grace === 'number' && grace <= 0) invalidValue(errors, at, grace, 'must be greater than 0')
  if (grace !== undefined && path.endsWith('readinessProbe'))
    invalidValue(errors, at, grace, 'must not be set for readinessProbes')
  if (/(liveness|startup)Probe$/.test(path) && typeof successThreshold === 'number' && successThreshold !== 1)
    invalidValue(errors, `${path}.successThreshold`, successThreshold, 'must be 1')
}
