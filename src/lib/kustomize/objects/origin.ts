import { posix } from 'node:path'
import { writeYaml } from '../../yaml/write/write.ts'
import { appendOrigin, type Loader } from '../files/loader.ts'
import { currentId, fieldMap, fieldText, setTextMap, textMap, type Origin, type Resource } from './resource.ts'

/** The annotation that says where an object came from. */
export const ORIGIN = 'config.kubernetes.io/origin'

/** The annotation that says what transformed an object. */
export const TRANSFORMATIONS = 'alpha.config.kubernetes.io/transformations'

/** Objects of a file came from it. */
export function markFile(resources: readonly Resource[], loader: Loader, path: string): void {
  for (const resource of resources) resource.origin = appendOrigin(loader.origin, path)
}

/** What a field of a kustomization file generates or transforms comes from there. */
export function originOfField(loader: Loader, fileName: string, kind: string): Origin {
  const { path, ...repo } = loader.origin
  const configuredIn = posix.join(path ?? '', fileName)
  return { ...repo, configuredIn, configuredBy: { apiVersion: 'builtin', kind } }
}

/** What a generator or transformer with a configuration of its own does comes from that. */
export function originOfConfig(config: Resource): Origin {
  const { name, namespace } = currentId(config)
  const configuredBy = {
    apiVersion: fieldText(config.node, 'apiVersion'),
    kind: fieldText(config.node, 'kind'),
    name,
    ...(namespace ? { namespace } : {}),
  }
  const { path, repo, ref } = config.origin ?? {}
  return { ...(repo ? { repo } : {}), ...(ref ? { ref } : {}), configuredIn: path ?? '', configuredBy }
}

/** Objects that came from somewhere were transformed; one from nowhere was made by the transformer. */
export function markTransformed(resources: readonly Resource[], by: Origin): void {
  for (const resource of resources) {
    if (resource.origin) resource.transformations.push(by)
    else resource.origin = by
    spellAnnotations(resource)
  }
}

/** Where kustomize notes a transformer, it writes all annotations anew, as texts. */
function spellAnnotations(resource: Resource): void {
  const annotations = fieldMap(fieldMap(resource.node, 'metadata'), 'annotations')
  for (const value of annotations?.fields.values() ?? [])
    if (value.kind !== 'scalar' || (value.tag !== '!!str' && value.style === 'plain'))
      return setTextMap(resource, 'annotations', textMap(resource, 'annotations'))
}

/** The text of the annotation with the transformers. */
export function renderTransformations(origins: readonly Origin[]): string {
  return origins
    .map((origin) => renderOrigin(origin).replace(/^/gm, '  ').replace(/^ {2}/, '- ').trimEnd() + '\n')
    .join('')
}

/** The text of the annotation; its fields stand in kustomize's order, not in that of the alphabet. */
export function renderOrigin({ path, repo, ref, configuredIn, configuredBy }: Origin): string {
  const lines: string[] = []
  if (path) lines.push(writeYaml({ path }))
  if (repo) lines.push(writeYaml({ repo }))
  if (ref) lines.push(writeYaml({ ref }))
  if (configuredIn) lines.push(writeYaml({ configuredIn }))
  if (configuredBy) lines.push('configuredBy:\n', writeYaml(configuredBy).replace(/^/gm, '  ').replace(/ +$/, ''))
  return lines.join('')
}
