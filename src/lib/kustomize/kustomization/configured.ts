import type { YamlNode } from '../../yaml/nodes.ts'
import { toValue } from '../../yaml/to-value.ts'
import { writeYaml } from '../../yaml/write/write.ts'
import type { Decoded } from './decode.ts'
import { prefixed } from '../failure.ts'

/** Reads the configuration of a built-in transformer or generator; an error shows it, as kustomize does. */
export function configured<T>(by: string, config: unknown, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw prefixed(`trouble configuring builtin ${by} with config: \`\n${writeYaml(config)}\``, error)
  }
}

/** What Go writes of a decoded struct: fields that are empty are left out. */
export function goStruct(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(goStruct)
  if (isNode(value)) return toValue(value)
  if (!isStruct(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, field]) => name !== 'node' && !isEmpty(field))
      .map(([name, field]) => [name, goStruct(field)]),
  )
}

/** A field that holds what it likes is kept as it was read. */
function isNode(value: unknown): value is YamlNode {
  return isStruct(value) && 'keyStart' in value
}

function isStruct(value: unknown): value is Decoded {
  return typeof value === 'object' && value !== null
}

function isEmpty(value: unknown): boolean {
  return !value || (Array.isArray(value) && value.length === 0)
}
