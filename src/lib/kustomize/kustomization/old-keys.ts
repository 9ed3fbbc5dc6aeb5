import { jsonKey as keyOf, OldKeyError } from '../../yaml/old-keys.ts'
import type { YamlMap, YamlNode } from '../../yaml/nodes.ts'
import { buildError } from '../failure.ts'

/** A key as a file of the old rules becomes JSON. */
export function jsonKey(map: YamlMap, key: string, value: YamlNode): string {
  try {
    return keyOf(map, key, value)
  } catch (error) {
    throw error instanceof OldKeyError ? buildError(error.message, error.node, 'quote the key') : error
  }
}
