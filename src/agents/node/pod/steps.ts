import { existsSync, rmSync } from 'node:fs'
import { constants, totalmem } from 'node:os'
import { ApiError } from '../../../adapters/kube/api-error.ts'
import { describeError, SluiceError } from '../../../lib/error/sluice-error.ts'
import { parseReference, type Reference } from '../../../lib/oci/reference.ts'
import { unreachable } from '../../../lib/error/unreachable.ts'
import type { ContainerId, Driver } from '../driver.ts'
import { pullLogin } from '../image/pull-login.ts'
import type { Image } from '../image/store.ts'
import type { NodeContext } from './context.ts'
import { durationText, retryDelayMs } from './backoff.ts'
import { type Fault, isAlive, type Run, type Step } from './decide.ts'
import { limitsOf, podLimitsOf } from './limits.ts'
import { type ActionTarget, runHook } from './probes/run-probe.ts'
import {
  containersOf,
  fieldOf,
  uidOf,
  type Action,
  type Container,
  type EphemeralContainer,
  type Pod,
} from './shapes.ts'
import { makePlace, startContainer } from './start-container.ts'
import { messageFile } from './content/termination.ts'
import type { Memory } from './memory.ts'
import { whatIsNotKept } from './unsupported.ts'

/** Does one step; what fails is remembered as a fault with its time, and told as an Event. True when it was the last one. */
export async function perform(context: NodeContext, memory: Memory, step: Step): Promise<boolean> {
  switch (step.do) {
    case 'setup':
      await setup(context, memory)
      return false
    case 'pull':
      await pull(context, memory, step)
      return false
    case 'start':
      await start(context, memory, step)
      return false
    case 'resize':
      await resize(context, memory, step.container)
      return false
    case 'drain':
      if (memory.sandbox) await context.driver().drain(memory.sandbox.ip, step.timeoutMs)
      memory.drain = 'done'
      return false
    case 'stop':
      await stop(context, memory, step)
      return false
    case 'hurry':
      memory.stopping.set(step.container, { killAtMs: context.clock.monotonicMs() + step.graceMs })
      return false
    case 'kill': {
      const run = memory.runs.get(step.container)
      if (run) await context.driver().signal(run, 'SIGKILL')
      memory.stopping.set(step.container, { killAtMs: context.clock.monotonicMs() + 2_000 })
      return false
    }
    case 'reset':
      reset(memory)
      return false
    case 'teardown':
      await context.driver().removeSandbox(uidOf(memory.pod))
      return false
    case 'finish':
      for (const probing of memory.probing.values()) probing.stop()
      // volumes of a pod that had lost its place, or never got one
      if (existsSync(context.driver().podFolder(uidOf(memory.pod))))
        await context.driver().removeSandbox(uidOf(memory.pod))
      if (!memory.isGone) await deleteObject(context, memory)
      return true
    default:
      return unreachable(step)
  }
}

async function setup(context: NodeContext, memory: Memory): Promise<void> {
  if (memory.sandbox === undefined && memory.runs.size > 0) {
    for (const [name, { attempt }] of memory.runs) memory.elsewhere.set(name, attempt)
    const message = 'Pod sandbox changed, it will be killed and re-created.'
    context.record(memory.pod, 'Normal', 'SandboxChanged', message)
  }
  try {
    memory.place = await makePlace(context, memory.pod, memory.sandbox)
    memory.setupFault = undefined
  } catch (error) {
    const isVolume = error instanceof SluiceError && error.code === 'POD_VOLUME'
    const reason = isVolume ? 'FailedMount' : 'FailedCreatePodSandBox'
    memory.setupFault = faultOf(context, memory.setupFault?.failures ?? 0, reason, textOf(error))
    context.record(memory.pod, 'Warning', reason, memory.setupFault.message)
  }
}

async function pull(context: NodeContext, memory: Memory, step: Step & { do: 'pull' }): Promise<void> {
  const { image: name, policy } = step
  const field = fieldOf(memory.pod, step.container)
  const before = memory.images.get(name)
  const failures = before?.state === 'failed' ? before.failures : 0
  const say = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
    context.record(memory.pod, type, reason, message, field)
  const fail = (event: string, said: string, reason: string, message: string): void => {
    say('Warning', event, said)
    say('Warning', 'Failed', `Error: ${reason}`)
    memory.images.set(name, { state: 'failed', ...faultOf(context, failures, reason, message) })
  }
  const reference = parseReference(name)
  if (reference === undefined) {
    const message = `Failed to apply default image tag "${name}": couldn't parse image name "${name}": invalid reference format`
    return fail('InspectFailed', message, 'InvalidImageName', message)
  }
  const present = policy === 'Always' ? undefined : await findOrFault(context, name)
  if (present && 'fault' in present) {
    const message = `Failed to inspect image "${name}": ${present.fault}`
    return fail('InspectFailed', message, 'ImageInspectError', message)
  }
  if (present) {
    say('Normal', 'Pulled', `Container image "${name}" already present on machine and can be accessed by the pod`)
    return keep(memory, name, present)
  }
  if (policy === 'Never') {
    const message = `Container image "${name}" is not present with pull policy of Never`
    return fail('ErrImageNeverPull', message, 'ErrImageNeverPull', message)
  }
  say('Normal', 'Pulling', `Pulling image "${name}"`)
  const startedMs = context.clock.monotonicMs()
  try {
    const image = await pullAs(context, memory.pod, name, reference)
    const took = durationText(context.clock.monotonicMs() - startedMs)
    const size = `Image size: ${image.sizeBytes} bytes.`
    say('Normal', 'Pulled', `Successfully pulled image "${name}" in ${took} (${took} including waiting). ${size}`)
    keep(memory, name, image)
  } catch (error) {
    const message = textOf(error)
    fail('Failed', `Failed to pull image "${name}": ${message}`, 'ErrImagePull', message)
    say('Normal', 'BackOff', `Back-off pulling image "${name}"`)
    say('Warning', 'Failed', 'Error: ImagePullBackOff')
  }
}

async function findOrFault(
  context: NodeContext,
  name: string,
): Promise<Image | { readonly fault: string } | undefined> {
  return context
    .driver()
    .findImage(name)
    .catch((error: unknown) => ({ fault: textOf(error) }))
}

/** Pulls with the login that the pod's secrets have for the registry. */
async function pullAs(context: NodeContext, pod: Pod, name: string, reference: Reference): Promise<Image> {
  const { imagePullSecrets = [] } = pod.spec
  const { login, missing } = await pullLogin(
    context.client,
    pod.metadata.namespace ?? 'default',
    imagePullSecrets,
    reference,
  )
  const registry = login && context.registryAs(login)
  try {
    return await context.driver().pullImage(name, registry && { registry })
  } catch (error) {
    const message = `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`
    if (missing.length > 0) context.record(pod, 'Warning', 'FailedToRetrieveImagePullSecret', message)
    throw error
  } finally {
    registry?.close()
  }
}

function keep(memory: Memory, name: string, image: Image): void {
  memory.pulled.set(name, image)
  memory.images.set(name, { state: 'ready', id: image.id })
}

async function start(context: NodeContext, memory: Memory, step: Step & { do: 'start' }): Promise<void> {
  const { container: name, attempt, restartsInARow } = step
  const field = fieldOf(memory.pod, name)
  const container = containerOf(memory, name)
  const image = container && memory.pulled.get(container.image)
  if (container === undefined || image === undefined || memory.place === undefined) return
  try {
    if (attempt >= 2)
      await forgetRun(context.driver(), { uid: uidOf(memory.pod), container: name, attempt: attempt - 2 })
    const joins = targetOf(memory, container)
    await startContainer(context, memory.pod, container, image, { place: memory.place, attempt, joins })
    if (context.driver().resize !== undefined) memory.given.set(name, container.resources ?? {})
  } catch (error) {
    const isConfig = error instanceof SluiceError && ['POD_CONFIG', 'POD_VOLUME', 'OBJECT_INVALID'].includes(error.code)
    const reason = isConfig ? 'CreateContainerConfigError' : 'RunContainerError'
    const fault = faultOf(context, memory.startFaults.get(name)?.failures ?? 0, reason, textOf(error))
    memory.startFaults.set(name, fault)
    context.record(memory.pod, 'Warning', 'Failed', `Error: ${fault.message}`, field)
    return
  }
  memory.startFaults.delete(name)
  memory.restarts.set(name, restartsInARow)
  context.record(memory.pod, 'Normal', 'Created', 'Container created', field)
  context.record(memory.pod, 'Normal', 'Started', 'Container started', field)
  const lacking = whatIsNotKept(memory.pod, container)
  if (lacking !== undefined) context.record(memory.pod, 'Warning', 'Limited', lacking, field)
  await postStart(context, memory, container, { uid: uidOf(memory.pod), container: name, attempt })
}

/** A container whose hook fails is ended; what the hook said stays here, it may hold secrets. A hook may take its time. */
async function postStart(context: NodeContext, memory: Memory, container: Container, id: ContainerId): Promise<void> {
  const hook = container.lifecycle?.postStart
  if (hook === undefined || memory.place === undefined) return
  if (await hookIsWell(context, { id, container, ip: memory.place.sandbox.ip }, hook, Infinity)) return
  const field = fieldOf(memory.pod, container.name)
  context.record(memory.pod, 'Warning', 'FailedPostStartHook', 'PostStartHook failed', field)
  context.record(memory.pod, 'Normal', 'Killing', 'FailedPostStartHook', field)
  await endInTime(context, memory, container, id, (memory.pod.spec.terminationGracePeriodSeconds ?? 30) * 1000)
}

/** Gives a container that runs what the pod says now; what the kernel does not take is told, and tried again. */
async function resize(context: NodeContext, memory: Memory, name: string): Promise<void> {
  const container = containerOf(memory, name)
  const run = memory.runs.get(name)
  if (container === undefined || run === undefined) return
  try {
    await context.driver().resize?.(run, limitsOf(memory.pod, container, totalmem()), podLimitsOf(memory.pod))
  } catch (error) {
    context.record(memory.pod, 'Warning', 'ResizeError', describeError(error), fieldOf(memory.pod, name))
    throw error
  }
  memory.given.set(name, container.resources ?? {})
  context.record(memory.pod, 'Normal', 'ResizeCompleted', `Container ${name} has the resources that the pod says now`)
}

/** A run that nobody can ask for any more; its files would fill the disk when the container fails for ever. */
async function forgetRun(driver: Driver, id: ContainerId): Promise<void> {
  await driver.forget(id)
  const log = driver.logPath(id)
  for (const file of [log, `${log}.1`, messageFile(driver, id)]) rmSync(file, { force: true })
}

/** Tells why, then ends a container. */
async function stop(context: NodeContext, memory: Memory, step: Step & { do: 'stop' }): Promise<void> {
  const run = memory.runs.get(step.container)
  const container = containerOf(memory, step.container)
  if (run === undefined || container === undefined) return
  context.record(memory.pod, 'Normal', 'Killing', step.why, fieldOf(memory.pod, step.container))
  await endInTime(context, memory, container, run, step.graceMs)
}

/** preStop, then SIGTERM; both inside the patience that begins now, but after a hook there are always two seconds left. */
async function endInTime(
  context: NodeContext,
  memory: Memory,
  container: Container,
  id: ContainerId,
  graceMs: number,
): Promise<void> {
  const endsAtMs = context.clock.monotonicMs() + graceMs
  const hook = container.lifecycle?.preStop
  const { name } = container
  memory.stopping.set(name, { killAtMs: hook === undefined ? endsAtMs : endsAtMs + AFTER_HOOK_MS })
  if (hook !== undefined && memory.sandbox !== undefined) {
    const isWell = await hookIsWell(context, { id, container, ip: memory.sandbox.ip }, hook, graceMs)
    if (!isWell)
      context.record(memory.pod, 'Warning', 'FailedPreStopHook', 'PreStopHook failed', fieldOf(memory.pod, name))
    const { killAtMs = endsAtMs } = memory.stopping.get(name) ?? {}
    memory.stopping.set(name, {
      killAtMs: Math.max(Math.min(endsAtMs, killAtMs), context.clock.monotonicMs() + AFTER_HOOK_MS),
    })
  }
  await endGently(context, memory, container, id)
}

/** What programs have at least after their hook. */
const AFTER_HOOK_MS = 2_000

async function hookIsWell(
  context: NodeContext,
  target: ActionTarget,
  hook: Action,
  timeoutMs: number,
): Promise<boolean> {
  if (hook.sleep === undefined) return (await runHook(context.driver(), target, hook, timeoutMs)).ok
  const sleepMs = Math.min(hook.sleep.seconds * 1000, timeoutMs)
  await new Promise<void>((resolve) => context.clock.after(sleepMs, resolve))
  return true
}

/** Asks a container's program to end, by the signal that its pod or its image names. */
async function endGently(context: NodeContext, memory: Memory, container: Container, id: ContainerId): Promise<void> {
  const ofImage = memory.pulled.get(container.image)?.config.StopSignal
  await context.driver().signal(id, signalOf(container.lifecycle?.stopSignal ?? ofImage))
}

/** A signal as images write it: by name, with and without `SIG`, or by number; SIGTERM for what is none. */
export function signalOf(word = ''): string {
  const name = `SIG${word.toUpperCase().replace(/^SIG/, '')}`
  const known = Object.entries(constants.signals)
  return known.find(([each, number]) => each === name || String(number) === word)?.[0] ?? 'SIGTERM'
}

/** What the containers did so far is over and done with: all begin as those of a new pod. */
function reset({ pod, runs, former, startFaults }: Memory): void {
  for (const { name } of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
    const run = runs.get(name)
    if (run !== undefined) former.set(name, run)
    runs.delete(name)
    startFaults.delete(name)
  }
}

async function deleteObject(context: NodeContext, { pod }: Memory): Promise<void> {
  const { namespace = 'default', name, uid } = pod.metadata
  try {
    const precondition = uid === undefined ? {} : { uid }
    await context.client.delete(
      { apiVersion: 'v1', kind: 'Pod', namespace, name },
      { gracePeriodSeconds: 0, ...precondition },
    )
  } catch (error) {
    if (!(error instanceof ApiError && (error.status === 404 || error.status === 409))) throw error
  }
}

/** The run whose processes a container wants to see. @throws SluiceError POD_CONFIG when it is not there */
function targetOf({ runs }: Memory, { targetContainerName: name = '' }: EphemeralContainer): Run | undefined {
  if (name === '') return undefined
  const run = runs.get(name)
  if (isAlive(run)) return run
  throw new SluiceError('POD_CONFIG', `unable to find target container ${JSON.stringify(name)}`, { retry: 'backoff' })
}

function containerOf({ pod }: Memory, name: string): Container | undefined {
  return containersOf(pod.spec).find((container) => container.name === name)
}

function faultOf(context: NodeContext, before: number, reason: string, message: string): Fault {
  const failures = before + 1
  return { reason, message, failures, retryAtMs: context.clock.nowMs() + retryDelayMs(failures) }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
