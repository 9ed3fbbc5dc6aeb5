import { posix } from 'node:path'
import { writeYaml } from '../yaml/write.ts'
import type { Loader } from './loader.ts'
import { currentId, fieldText, type Origin, type Resource } from './resource.ts'

/** The annotation that says where an object came from. */
export const ORIGIN = 'config.kubernetes.io/origin'

/** A path as seen from the folder that is built. */
function pathFromTop(loader: Loader, path: string): string {
  let top = loader
  while (top.referrer) top = top.referrer
  return posix.join(posix.relative(top.root, loader.root), path)
}

/** Objects of a file came from it. */
export function markFile(resources: readonly Resource[], loader: Loader, path: string): void {
  for (const resource of resources) resource.origin = { path: pathFromTop(loader, path) }
}

/** A generated object came from a field of the kustomization file. */
export function markGenerated(resource: Resource, loader: Loader, fileName: string, kind: string): void {
  resource.origin = { configuredIn: pathFromTop(loader, fileName), configuredBy: { apiVersion: 'builtin', kind } }
}

/** An object of a generator with a configuration of its own. */
export function markByConfig(resource: Resource, config: Resource): void {
  const { name, namespace } = currentId(config)
  const configuredBy = {
    apiVersion: fieldText(config.node, 'apiVersion'),
    kind: fieldText(config.node, 'kind'),
    name,
    ...(namespace ? { namespace } : {}),
  }
  resource.origin = { configuredIn: config.origin?.path ?? '', configuredBy }
}

/** The text of the annotation; its fields stand in kustomize's order, not in that of the alphabet. */
export function renderOrigin({ path, configuredIn, configuredBy }: Origin): string {
  const lines: string[] = []
  if (path) lines.push(writeYaml({ path }))
  if (configuredIn) lines.push(writeYaml({ configuredIn }))
  if (configuredBy) lines.push('configuredBy:\n', writeYaml(configuredBy).replace(/^/gm, '  ').replace(/ +$/, ''))
  return lines.join('')
}
