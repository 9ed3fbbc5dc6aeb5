import { packageOf } from '../../kube-schema/builtin.ts'
import { PROTOBUF_CHUNKS } from '../../kube-schema/data/protobuf.ts'
import { unpack } from '../../kube-schema/unpack.ts'

/** How a field is written: zero values of what is always written are written, too, as Go's generated code does. */
export const SHAPE = { always: 0, repeated: 1, map: 2, whenThere: 3, embedded: 4 } as const

/** Its number, its name in JSON, its type (a scalar, or the full name of a message), its {@link SHAPE}. */
export type Field = readonly [number: number, name: string, type: string, shape: 0 | 1 | 2 | 3 | 4]

/** The fields of a message by number, in ascending order. */
export type Message = ReadonlyMap<number, Field>

/** What every message in `application/vnd.kubernetes.protobuf` begins with. */
export const MAGIC = Buffer.from('k8s\u0000', 'latin1')

/** Messages that are a list in Go and in JSON, and have it as their only field here. */
export const LISTS: ReadonlySet<string> = new Set(['ExtraValue', 'Verbs'])

/** The last part of a message's full name. */
export const shortName = (name: string): string => name.slice(name.lastIndexOf('.') + 1)

const META = 'k8s.io.apimachinery.pkg.apis.meta.v1'
const packages = new Map<string, ReadonlyMap<string, Message>>()

/** A message by its full name; decoded a package at a time on first use. */
export function messageOf(name: string): Message | undefined {
  const dot = name.lastIndexOf('.')
  const group = name.slice(0, dot)
  let messages = packages.get(group)
  if (messages === undefined) {
    const chunk = PROTOBUF_CHUNKS[group]
    if (chunk === undefined) return undefined
    const decoded = unpack<Record<string, Field[]>>(chunk)
    messages = new Map(
      Object.entries(decoded).map(([key, fields]) => [key, new Map(fields.map((field) => [field[0], field]))]),
    )
    packages.set(group, messages)
  }
  return messages.get(name.slice(dot + 1))
}

/** The full name of the message of a kind; what is of no group (`Status`, `DeleteOptions`) may come in the name of any. */
export function messageNameOf(apiVersion: string, kind: string): string | undefined {
  const own = `${packageOf(apiVersion)
    .replace(/^io\.k8s\./, 'k8s.io.')
    .replaceAll('-', '_')}.${kind}`
  return [own, `${META}.${kind}`].find((name) => messageOf(name) !== undefined)
}
