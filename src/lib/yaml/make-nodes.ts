import type { YamlMap, YamlNode, YamlScalar, YamlSeq } from './nodes.ts'
import { resolvePlain, tagOf } from './resolve.ts'

/** A scalar made by a program: a string, whatever it looks like; in quotes where Go's library puts it in quotes. */
export function stringNode(value: string): YamlScalar {
  const style =
    value.length > 5 && !/^[-+.0-9]/.test(value)
      ? 'plain'
      : typeof resolvePlain(value, 'v2') === 'string'
        ? 'plain'
        : 'double'
  return { kind: 'scalar', value, tag: '!!str', style, source: undefined, start: 0, end: 0, keyStart: -1 }
}

/** A scalar made by a program that means what its text means, for example `3` or `true`. */
export function plainNode(value: string): YamlScalar {
  return { ...stringNode(value), tag: '', style: 'plain' }
}

/** An empty mapping made by a program. */
export function mapNode(entries: Iterable<readonly [string, YamlNode]> = []): YamlMap {
  return { kind: 'map', fields: new Map(entries), tag: '', source: undefined, start: 0, end: 0, keyStart: -1 }
}

/** Sets a field as a program does: a new key stands there without quotes, and so may be read back as no string. */
export function putField(map: YamlMap, key: string, value: YamlNode): void {
  if (!map.fields.has(key) && key !== '' && tagOf(plainNode(key)) !== '!!str') {
    map.otherKey ??= key
    map.oldKeys = (map.oldKeys ?? new Set()).add(key)
  }
  map.fields.set(key, value)
}

/** A sequence made by a program. */
export function seqNode(items: YamlNode[] = []): YamlSeq {
  return { kind: 'seq', items, tag: '', source: undefined, start: 0, end: 0, keyStart: -1 }
}
