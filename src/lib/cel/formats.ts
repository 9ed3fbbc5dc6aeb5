import { parse } from '@marcbachmann/cel-js'

/** Lengths of time are the library's own. */
const readDuration = parse('duration(text)')

/**
 * A text of a schema as CEL has it: moments, lengths of time and bytes by its format. What does not fit its format stays a text.
 *
 * @see k8s.io/apiserver/pkg/cel/common values.go
 */
export function celText(text: string, format: string | undefined): unknown {
  switch (format) {
    case 'date':
    case 'date-time': {
      const moment = new Date(text)
      return Number.isNaN(moment.getTime()) ? text : moment
    }
    case 'duration':
      return durationOf(text)
    case 'byte':
      return new Uint8Array(Buffer.from(text, 'base64'))
    default:
      return text
  }
}

function durationOf(text: string): unknown {
  try {
    return readDuration({ text })
  } catch {
    return text
  }
}
