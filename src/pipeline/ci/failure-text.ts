/** Follows what a step prints, and tells which of it says why the step failed. */
export type FailureText = {
  readonly see: (line: string) => void
  /** What a `::error::` command says; it goes before all that is printed. */
  readonly tell: (text: string) => void
  /** One line; '' when nothing was printed. */
  readonly text: () => string
}

/** Lines that say what failed, as tools begin them; what they print after that (times, counts, advice) does not. */
const TELLS = /^(not ok |✖ |FAIL\b|--- FAIL|fatal: |error: |Error: |npm ERR! )/

/** Titles of lists, which name no test. */
const TITLE = /^✖ failing tests:$/

type Told = { readonly line: string; place: string | undefined; error: string | undefined; isErrorNext: boolean }

/**
 * The last line, or the last of those that say what failed. To the name of a test that failed, what `node --test` prints of it behind or
 * before its name is added: its place, and its error.
 */
export function followFailure(): FailureText {
  let told: Told = start('')
  let place: string | undefined
  let isTelling = false
  const see = (line: string): void => {
    const text = line.trim()
    if (text === '' || TITLE.test(line)) return
    if (TELLS.test(line)) {
      told = { ...start(text), place, isErrorNext: line.startsWith('✖ ') }
      isTelling = true
      place = undefined
    } else if (!isTelling) told = start(text)
    else if (line.startsWith('test at ')) place = text.slice('test at '.length)
    else readDetail(told, line)
  }
  return {
    see,
    tell(text) {
      told = start(text)
      isTelling = false
    },
    text: () => render(told),
  }
}

function start(line: string): Told {
  return { line, place: undefined, error: undefined, isErrorNext: false }
}

/** A line of the block that TAP has behind a test (https://testanything.org/tap-version-14-specification.html#yaml-diagnostics), or of the error that the reporter for people has there. */
function readDetail(told: Told, line: string): void {
  const text = line.trim()
  // details are indented
  if (!/^(not ok|✖) /.test(told.line) || line.startsWith(text)) return
  if (told.isErrorNext) {
    told.error = text
    told.isErrorNext = false
    return
  }
  const [, name, quoted, block] = /^(location|error): (?:'(.*)'|"(?:.*)"|(\|-?))$/.exec(text) ?? []
  if (name === 'location') told.place ??= quoted
  else if (name === 'error' && told.error === undefined) {
    told.error = quoted
    told.isErrorNext = block !== undefined
  }
}

function render({ line, place, error }: Told): string {
  return `${line}${error === undefined ? '' : `: ${error}`}${place === undefined ? '' : ` (${place})`}`
}
