import type { KubeObject } from '../../lib/kube/object.ts'
import { read } from '../../lib/kube/read.ts'
import { isRecord } from '../../lib/value/is-record.ts'
import type { Pin } from './retention.ts'

/**
 * Every image of a registry that an object names, wherever it stands in it: in the template of a workload, of an old ReplicaSet that
 * `kubectl rollout undo` goes back to, in a pod's status, in the choice of a policy, in a field of a kind that we have never heard of.
 *
 * @param hosts the names that the registry has in manifests
 */
export function namedImages(object: KubeObject, hosts: readonly string[]): readonly Pin[] {
  const { namespace, name } = object.metadata
  const by = `named by ${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
  const found = new Map<string, Pin>()
  const add = (repository: string, version: string): void =>
    void found.set(`${repository} ${version}`, { repository, version, by })
  const pattern = patternOf(hosts)
  walk(object, (value) => {
    if (typeof value === 'string') return imagesIn(value, pattern, add)
    const { name: image, tag, digest } = value
    // a choice that is written in parts, as the status of an ImagePolicy has it
    if (typeof image !== 'string') return
    for (const { groups: { repository = '' } = {} } of image.matchAll(pattern))
      for (const version of [tag, digest]) if (typeof version === 'string') add(repository, version)
  })
  if (object.kind === 'OCIRepository') artifactsOf(object, pattern, add)
  return [...found.values()]
}

/** The names by which manifests may call an embedded registry: its alias, its address, and `localhost` for an address of this machine. */
export function registryNames(alias: string, host: string): readonly string[] {
  const port = /^(?:127(?:\.\d{1,3}){3}|\[::1\])(:\d+)$/.exec(host)?.[1]
  return [alias, host, ...(port === undefined ? [] : [`localhost${port}`])]
}

type Add = (repository: string, version: string) => void

function patternOf(hosts: readonly string[]): RegExp {
  const host = hosts.map((each) => each.replaceAll(/[.[\]]/g, String.raw`\$&`)).join('|')
  const repository = String.raw`(?<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)`
  return new RegExp(
    String.raw`(?<![A-Za-z0-9.-])(?:${host})/${repository}(?::(?<tag>\w[\w.-]{0,127}))?(?:@(?<digest>sha\d+:[0-9a-f]{64,128}))?`,
    'g',
  )
}

function imagesIn(text: string, pattern: RegExp, add: Add): void {
  for (const { groups: { repository = '', tag, digest } = {} } of text.matchAll(pattern)) {
    if (digest !== undefined) add(repository, digest)
    if (tag !== undefined || digest === undefined) add(repository, tag ?? 'latest')
  }
}

/** The name of an artifact is in one field, its version in others. */
function artifactsOf(object: KubeObject, pattern: RegExp, add: Add): void {
  const url = String(read(object, 'spec', 'url'))
  const versions = [read(object, 'spec', 'ref', 'tag'), read(object, 'spec', 'ref', 'digest')]
  const revision = read(object, 'status', 'artifact', 'revision')
  const all = [...versions, ...(typeof revision === 'string' ? revision.split('@') : [])]
  for (const { groups: { repository = '' } = {} } of url.matchAll(pattern))
    for (const version of all) if (typeof version === 'string') add(repository, version)
}

function walk(value: unknown, visit: (value: string | Readonly<Record<string, unknown>>) => void): void {
  if (typeof value === 'string') return visit(value)
  if (Array.isArray(value)) return value.forEach((each) => walk(each, visit))
  if (!isRecord(value)) return
  visit(value)
  for (const each of Object.values(value)) walk(each, visit)
}
