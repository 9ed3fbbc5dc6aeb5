import { goFloat } from './write/go-numbers.ts'
import { goOldSyntax } from './write/go-syntax.ts'
import type { YamlMap, YamlNode } from './nodes.ts'
import { resolvePlain } from './resolve.ts'

/** A key that JSON has no text for, in the words of sigs.k8s.io/yaml; `node` is the value under it. */
export class OldKeyError extends Error {
  readonly node: YamlNode

  constructor(message: string, node: YamlNode) {
    super(message)
    this.node = node
  }
}

/** A key as YAML becomes JSON by the old rules, where `n` without quotes is `false`, and `0x10` is `16`. @throws OldKeyError */
export function jsonKey({ oldKeys }: YamlMap, key: string, value: YamlNode): string {
  if (!oldKeys?.has(key)) return key
  const resolved = resolvePlain(key, 'v2')
  if (resolved === null || typeof resolved === 'bigint') throw unsupported(resolved, value)
  if (typeof resolved !== 'number' || Number.isInteger(resolved)) return String(resolved)
  return Number.isNaN(resolved)
    ? '.nan'
    : Number.isFinite(resolved)
      ? asFloat32(resolved)
      : resolved > 0
        ? '.inf'
        : '-.inf'
}

function unsupported(key: bigint | null, value: YamlNode): OldKeyError {
  const [type, shown] = key === null ? ['%!s(<nil>)', '<nil>'] : ['uint64', `0x${key.toString(16)}`]
  return new OldKeyError(`unsupported map key of type: ${type}, key: ${shown}, value: ${goOldSyntax(value)}`, value)
}

/** The shortest text that is the same number in 32 bits: the library takes no more of it. */
function asFloat32(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === Math.fround(value)) return goFloat(short)
  }
  return goFloat(Number(value.toPrecision(9)))
}
