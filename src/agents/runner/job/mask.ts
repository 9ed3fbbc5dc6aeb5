/** Replaces secrets by `***`; secrets may be added at any time. */
export type Masker = {
  /** False when there are too many already: every line is searched for each of them. */
  readonly add: (secret: string) => boolean
  readonly mask: (text: string) => string
  /** Length of the longest secret: what a stream must hold back. */
  readonly longest: () => number
}

const SHORTEST = 3
/** Shorter pieces of base64 are found in texts of any kind. */
const SHORTEST_INSIDE = 8
/** Spellings that steps may add; a PEM file has some hundred. */
const MOST_ADDED = 4_000

/** A masker for `secrets`: their lines, and their base64 (also within that of a longer text), URL and JSON spellings too. */
export function createMasker(secrets: readonly string[]): Masker {
  const known = new Set<string>()
  let ordered: readonly string[] = []
  const keep = (forms: readonly string[]): void => {
    for (const form of forms) known.add(form)
    ordered = [...known].sort((a, b) => b.length - a.length)
  }
  keep(secrets.flatMap(formsOf))
  const most = known.size + MOST_ADDED
  return {
    add(secret) {
      const fresh = formsOf(secret).filter((form) => !known.has(form))
      if (known.size + fresh.length > most) return false
      if (fresh.length > 0) keep(fresh)
      return true
    },
    mask: (text) => ordered.reduce((masked, secret) => masked.replaceAll(secret, '***'), text),
    longest: () => ordered[0]?.length ?? 0,
  }
}

function formsOf(secret: string): readonly string[] {
  const whole = secret.trim()
  const lines = whole.split(/\r?\n/).map((line) => line.trim())
  const spelled = [
    Buffer.from(secret).toString('base64'),
    // half a letter, as is left where a text was cut, has no such spelling
    encodeURIComponent(Buffer.from(whole).toString()),
    JSON.stringify(whole).slice(1, -1),
  ]
  return [...[whole, ...lines, ...spelled].filter((form) => form.length >= SHORTEST), ...insideBase64(whole)]
}

/**
 * What is seen of a secret in the base64 of a longer text (a login, a configuration file): its place in the groups of three bytes decides
 * how it is spelled. Without the characters at both ends that hold bits of its neighbours.
 */
function insideBase64(secret: string): readonly string[] {
  const bytes = Buffer.from(secret)
  const forms = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
  })
  const urlForms = forms.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))
  return [...new Set([...forms, ...urlForms])].filter((form) => form.length >= SHORTEST_INSIDE)
}

/** Where the text of a stream goes. */
export type MaskedLines = { readonly write: (text: string) => void; readonly end: () => void }

/**
 * Cuts a stream into masked lines; a secret split across chunks is still found.
 *
 * A line longer than 256 KiB is handed on in pieces, its last characters held back as long as a secret could begin in them.
 */
export function maskedLines(masker: Masker, onLine: (line: string) => void): MaskedLines {
  let pending = ''
  const flushLong = (): void => {
    const masked = masker.mask(pending)
    const keep = Math.min(masked.length, masker.longest())
    onLine(masked.slice(0, masked.length - keep))
    pending = masked.slice(masked.length - keep)
  }
  return {
    write(text) {
      const lines = (pending + text).split('\n')
      pending = lines.pop() ?? ''
      for (const line of lines) onLine(masker.mask(line.endsWith('\r') ? line.slice(0, -1) : line))
      if (pending.length > 262_144) flushLong()
    },
    end() {
      if (pending !== '') onLine(masker.mask(pending))
      pending = ''
    },
  }
}
