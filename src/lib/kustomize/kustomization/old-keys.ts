import { goFloat } from '../../yaml/write/go-numbers.ts'
import { goSyntax } from '../../yaml/write/go-syntax.ts'
import type { YamlMap, YamlNode } from '../../yaml/nodes.ts'
import { resolvePlain } from '../../yaml/resolve.ts'
import { buildError } from '../failure.ts'

/** A key as YAML becomes JSON by the old rules, where `n` without quotes is `false`, and `0x10` is `16`. */
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

function unsupported(key: bigint | null, value: YamlNode): Error {
  const [type, shown] = key === null ? ['%!s(<nil>)', '<nil>'] : ['uint64', `0x${key.toString(16)}`]
  const text = `unsupported map key of type: ${type}, key: ${shown}, value: ${goSyntax(value, false)}`
  return buildError(text, value, 'quote the key')
}

/** The shortest text that is the same number in 32 bits: the library takes no more of it. */
function asFloat32(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === Math.fround(value)) return goFloat(short)
  }
  return goFloat(Number(value.toPrecision(9)))
}
