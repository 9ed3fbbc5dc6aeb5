import { APP_ARMOR, APP_ARMOR_DEPRECATED, profileOfAnnotation } from '../../../lib/kube/app-armor.ts'
import { equal, isObject, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { type Obj, specOf } from '../object.ts'

/**
 * Writes the AppArmor profiles that annotations of a new pod say into its fields. In place.
 *
 * @returns what to warn of
 * @see k8s.io/kubernetes/pkg/registry/core/pod strategy.go
 */
export function writeAppArmor(pod: Obj): string[] {
  const spec = specOf(pod)
  if (objectOf(spec.os).name === 'windows') return []
  const whole = objectOf(spec.securityContext).appArmorProfile
  const warnings: string[] = []
  for (const container of [...objectsOf(spec.initContainers), ...objectsOf(spec.containers)]) {
    const key = `${APP_ARMOR}${stringOf(container.name)}`
    const annotation = pod.metadata.annotations?.[key]
    const context = objectOf(container.securityContext)
    if (annotation === undefined || context.appArmorProfile !== undefined) continue
    const profile = profileOfAnnotation(stringOf(annotation))
    if (profile !== undefined && isObject(whole) && equal(profile, whole)) continue
    if (profile !== undefined) container.securityContext = { ...context, appArmorProfile: profile }
    warnings.push(`metadata.annotations[${key}]: ${APP_ARMOR_DEPRECATED}`)
  }
  return warnings
}
