import { accessSync, constants } from 'node:fs'

/**
 * The socket of a container engine that this user may speak to: the one that the environment names (`DOCKER_HOST`, `CONTAINER_HOST`), or the
 * first of the usual ones; undefined when there is none.
 */
export function findEngineSocket(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const named = env['DOCKER_HOST'] ?? env['CONTAINER_HOST']
  if (named !== undefined && named !== '')
    return named.startsWith('unix://') ? named.slice('unix://'.length) : undefined
  const own = env['XDG_RUNTIME_DIR'] === undefined ? [] : [`${env['XDG_RUNTIME_DIR']}/podman/podman.sock`]
  return ['/var/run/docker.sock', '/run/podman/podman.sock', ...own].find(isOpen)
}

function isOpen(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}
