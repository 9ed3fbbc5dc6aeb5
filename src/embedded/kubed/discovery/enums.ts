import { ENUM_CHUNK } from '../../../lib/kube-schema/data/enums.ts'
import { unpack } from '../../../lib/kube-schema/unpack.ts'
import { isObject, type JsonObject } from '../../../lib/kube/json.ts'

type Place = '' | 'items' | 'additionalProperties'
type Enums = Readonly<Record<string, Readonly<Record<string, readonly [Place, readonly string[], string]>>>>

let enums: Enums | undefined

/**
 * A definition's fields with the values that they take, and what their descriptions say of these.
 *
 * Only documents tell them: the server refuses other values by its own rules, in its own words.
 */
export function withEnums(name: string, properties: JsonObject): JsonObject {
  const known = (enums ??= unpack<Enums>(ENUM_CHUNK))[name]
  if (known === undefined) return properties
  const out = { ...properties }
  for (const [field, [place, values, text]] of Object.entries(known)) {
    const schema = out[field]
    if (!isObject(schema)) continue
    const described =
      text === '' || typeof schema.description !== 'string'
        ? schema
        : { ...schema, description: `${schema.description}${text}` }
    const inner = place === '' ? undefined : described[place]
    out[field] = isObject(inner)
      ? { ...described, [place]: { ...inner, enum: [...values] } }
      : { ...described, enum: [...values] }
  }
  return out
}
