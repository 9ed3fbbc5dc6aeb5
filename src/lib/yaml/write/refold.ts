import { parseDocuments } from '../parse-documents.ts'
import { type YamlNode } from '../nodes.ts'

/**
 * What a folded scalar (`>`) is after Go's yaml.v3 wrote it and read it again, as kustomize does before it prints.
 *
 * The writer puts a second line break behind every line that does not start with a blank, whatever follows; where an indented
 * line follows, the reader keeps both.
 * @see https://github.com/yaml/go-yaml/blob/v3/emitterc.go (yaml_emitter_write_folded_scalar)
 */
export function refold(value: string): string {
  if (!value.includes('\n') || !mayBeBlock(value)) return value
  const root = parseDocuments(`a: ${writeFolded(value, '  ')}`)[0]?.root
  const read: YamlNode | undefined = root?.kind === 'map' ? root.fields.get('a') : undefined
  return read?.kind === 'scalar' ? read.value : value
}

/** Anything else is written in double quotes, which lose nothing. */
function mayBeBlock(value: string): boolean {
  return (
    !value.includes(' \n') &&
    !value.endsWith(' ') &&
    !/[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/.test(value)
  )
}

function hints(value: string): string {
  const indent = /^[ \n]/.test(value) ? '2' : ''
  if (!value.endsWith('\n')) return `${indent}-`
  return value === '\n' || value.endsWith('\n\n') ? `${indent}+` : indent
}

/** A folded scalar as Go's yaml.v3 writes it. */
export function writeFolded(value: string, pad: string): string {
  return `>${hints(value)}\n${foldedLines(value, pad)}`
}

function foldedLines(value: string, pad: string): string {
  const mayDouble = /^\n*[^\s]/.test(value)
  let out = ''
  let wasBreak = true
  let startsBlank = true
  for (let i = 0; i < value.length; i++) {
    const letter = value[i] ?? ''
    if (letter === '\n') {
      out += !wasBreak && !startsBlank && mayDouble ? '\n\n' : '\n'
      wasBreak = true
      continue
    }
    if (wasBreak) {
      out += pad
      startsBlank = letter === ' ' || letter === '\t'
    }
    out += letter
    wasBreak = false
  }
  return out
}
