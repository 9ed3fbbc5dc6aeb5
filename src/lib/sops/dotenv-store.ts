import { SluiceError } from '../error/sluice-error.ts'
import { leaf, type SopsEntry, type SopsMap } from './tree.ts'

/** Reads `NAME=value` lines; `\n` in a value is a line break. @throws SluiceError SOPS_DECRYPT for a line that is none */
export function loadDotenv(text: string): SopsMap {
  const entries = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index): SopsEntry => {
      if (line.startsWith('#')) return { kind: 'comment', text: line.slice(1) }
      const at = line.indexOf('=')
      if (at < 0)
        throw new SluiceError('SOPS_DECRYPT', `invalid dotenv input line: ${index + 1}`, { hint: 'write NAME=value' })
      return { key: line.slice(0, at), value: leaf('str', line.slice(at + 1).replaceAll('\\n', '\n')) }
    })
  return { kind: 'map', entries }
}

/** Writes `NAME=value` lines. @throws SluiceError SOPS_DECRYPT for a value that is a mapping or list */
export function emitDotenv(document: SopsMap): string {
  return document.entries
    .map((entry) => {
      if (!('key' in entry)) return `#${entry.text}\n`
      const { key, value } = entry
      if (value.kind !== 'leaf')
        throw new SluiceError('SOPS_DECRYPT', `cannot use complex value in dotenv file; offending key ${key}`)
      const text = value.bytes.toString('utf8')
      return `${key}=${value.type === 'bool' ? text.toLowerCase() : text.replaceAll('\n', '\\n')}\n`
    })
    .join('')
}
