import type { JsonObject } from './json.ts'

/** Begins the annotation that says the AppArmor profile of the container whose name follows. */
export const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/'
/** Begins a profile of the node in such an annotation. */
export const LOCAL_PROFILE = 'localhost/'

/** Why such an annotation is told of. */
export const APP_ARMOR_DEPRECATED = 'deprecated since v1.30; use the "appArmorProfile" field instead'

/** The field `appArmorProfile` that says what the annotation says; undefined where there is none. @see k8s.io/kubernetes/pkg/api/pod/util.go */
export function profileOfAnnotation(annotation: string): JsonObject | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' }
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' }
  const name = annotation.startsWith(LOCAL_PROFILE) ? annotation.slice(LOCAL_PROFILE.length) : ''
  return name === '' ? undefined : { type: 'Localhost', localhostProfile: name }
}
