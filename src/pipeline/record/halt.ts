import type { KubeObject } from '../../lib/kube/object.ts'
import { isSuspended } from '../../kinds/flux-object.ts'
import { conditionOf } from '../../lib/kube/read.ts'
import { type Alert, parseAlert } from '../../kinds/notification.ts'
import type { DispatchFault } from '../notify/dispatch.ts'
import { nextStep } from './next-step.ts'

/** An object of Flux's kinds that does nothing now, because somebody suspended it or because it cannot. */
export type Halt = {
  readonly object: string
  readonly isSuspended: boolean
  readonly cause: string
  /** What to do about it, where that can be told. */
  readonly next: string | undefined
}

/**
 * What does nothing now, whatever is pushed: no delivery tells of a source that cannot be fetched or of a Kustomization that was
 * suspended and forgotten, for none comes of them. Pure.
 */
export function haltsOf(objects: readonly KubeObject[]): readonly Halt[] {
  return objects.flatMap((object) => {
    const cause = haltOf(object)
    const { namespace = '', name } = object.metadata
    if (cause === undefined) return []
    const isHeld = isSuspended(object)
    const next = isHeld ? undefined : nextStep(object, cause)
    return [{ object: `${object.kind} ${namespace}/${name}`, isSuspended: isHeld, cause, next }]
  })
}

/**
 * Alerts whose notifications get to nobody: Flux keeps no conditions of Alerts and Providers, so that only Events tell of it, for an hour. Pure.
 *
 * @param objects Alerts and Providers among others
 */
export function mutesOf(objects: readonly KubeObject[], faults: readonly DispatchFault[]): readonly Halt[] {
  const providers = objects.filter(({ kind }) => kind === 'Provider')
  const alerts = objects.filter((object) => object.kind === 'Alert' && !isSuspended(object))
  return alerts.map(parseAlert).flatMap((alert) => {
    const { namespace, name, providerName } = alert
    const found = providers.find(({ metadata }) => metadata.namespace === namespace && metadata.name === providerName)
    if (found !== undefined && isSuspended(found)) return []
    const fault = faults.find((one) => one.alert === `${namespace}/${name}` && one.provider === providerName)
    const why = found === undefined ? withoutProvider(alert) : fault && unreached(alert, fault)
    return why === undefined ? [] : [{ object: `Alert ${namespace}/${name}`, isSuspended: false, ...why }]
  })
}

type Why = Pick<Halt, 'cause' | 'next'>

function withoutProvider({ namespace, providerName }: Alert): Why {
  return {
    cause: `reaches nobody: there is no Provider ${namespace}/${providerName}`,
    next: 'create it, or name another in spec.providerRef; what waits is sent then, for a day',
  }
}

function unreached({ namespace, providerName }: Alert, { sinceMs, cause }: DispatchFault): Why {
  return {
    cause: `reaches nobody since ${new Date(sinceMs).toISOString().slice(0, 19)}Z: ${cause.trim()}`,
    next: `look at the address and the Secret of Provider ${namespace}/${providerName}, and whether its server answers; what waits is sent again by itself, for a day`,
  }
}

/** Why an object does nothing now; `undefined` when it works, or has not said so yet. */
export function haltOf(object: KubeObject): string | undefined {
  if (isSuspended(object)) return `is suspended (${resumeCommand(object.kind, object.metadata)})`
  const ready = conditionOf(object, 'Ready')
  return ready?.status === 'False' ? `is not ready: ${ready.message.trim()}` : undefined
}

type Named = { readonly namespace?: string; readonly name: string }

/** What resumes an object; every hint says it in the same words. */
export function resumeCommand(kind: string, { namespace = '', name }: Named): string {
  return `sluice resume ${kind.toLowerCase()} ${name} -n ${namespace}`
}
