import { PARAMETER_CHUNK } from '../../../lib/kube-schema/data/parameters.ts'
import { unpack } from '../../../lib/kube-schema/unpack.ts'
import type { Resource } from '../resources/resource.ts'

/** A parameter of a request, as both kinds of documents tell it but for where they tell its type. */
export type Parameter = {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly description: string
  readonly required?: true
  readonly type: string
}

type Told = readonly (readonly [name: string, type: string, description: string])[]

let told: Readonly<Record<string, Told>> | undefined

/** The query parameters of an action (`get`, `list`, `post`, …), by which clients tell what a server can do; `all`: of every path. */
export function queryOf(action: string): Parameter[] {
  told ??= unpack<Record<string, Told>>(PARAMETER_CHUNK.all ?? '')
  return (told[action] ?? []).map(([name, type, description]) => ({ name, in: 'query', description, type }))
}

/** What a path of a kind takes: its parts, and how the answer is written. */
export function placeOf({ kind, isNamespaced }: Resource, isOne: boolean): Parameter[] {
  const part = (name: string, description: string): Parameter => ({
    name,
    in: 'path',
    description,
    required: true,
    type: 'string',
  })
  return [
    ...(isOne ? [part('name', `name of the ${kind}`)] : []),
    ...(isNamespaced ? [part('namespace', 'object name and auth scope, such as for teams and projects')] : []),
    ...queryOf('all'),
  ]
}
