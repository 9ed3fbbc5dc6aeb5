import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { type Container, labelOf, type Pod, type SecurityContext } from './shapes.ts'

/** What a container may do and who it is: its own word before the pod's. */
export function securityOf({ spec }: Pod, { securityContext }: Container): SecurityContext {
  return { ...spec.securityContext, ...securityContext }
}

/**
 * Who a container runs as, as images write it: the pod's word, else the image's.
 *
 * @throws SluiceError POD_CONFIG when it must not be root and is, or may be
 */
export function userOf(pod: Pod, container: Container, imageUser: string): string {
  const { runAsUser, runAsGroup, runAsNonRoot } = securityOf(pod, container)
  const name = imageUser.split(':')[0] ?? ''
  const why = runAsNonRoot === true ? whyRoot(runAsUser, name) : undefined
  if (why !== undefined)
    throw new SluiceError('POD_CONFIG', `${why} (pod: "${labelOf(pod)}", container: ${container.name})`)
  if (runAsUser === undefined) return runAsGroup === undefined ? imageUser : `${name}:${runAsGroup}`
  return runAsGroup === undefined ? String(runAsUser) : `${runAsUser}:${runAsGroup}`
}

function whyRoot(runAsUser: number | undefined, imageUser: string): string | undefined {
  if (runAsUser !== undefined) return runAsUser === 0 ? "container's runAsUser breaks non-root policy" : undefined
  if (imageUser === '' || Number(imageUser) === 0) return 'container has runAsNonRoot and image will run as root'
  if (/^\d+$/.test(imageUser)) return undefined
  return `container has runAsNonRoot and image has non-numeric user (${imageUser}), cannot verify user is non-root`
}
