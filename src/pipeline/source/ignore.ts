import { trimEndOf } from '../../lib/value/trim-end.ts'
import { matchElement } from './glob.ts'

/** One line of a `.sourceignore` or of `spec.ignore`, for the paths below `domain`. */
export type IgnorePattern = {
  readonly domain: readonly string[]
  readonly isInclusion: boolean
  readonly isDirOnly: boolean
  /** A pattern with a slash is matched from its domain on, element by element; one without, against any element. */
  readonly isAnchored: boolean
  readonly elements: readonly string[]
}

const VCS = ['.git/', '.gitignore', '.gitmodules', '.gitattributes']
const EXTENSIONS = ['*.jpg', '*.jpeg', '*.gif', '*.png', '*.wmv', '*.flv', '*.tar.gz', '*.zip']
const CI = [
  ...['.github/', '.circleci/', '.travis.yml', '.gitlab-ci.yml', 'appveyor.yml', '.drone.yml', 'cloudbuild.yaml'],
  ...['codeship-services.yml', 'codeship-steps.yml'],
]
const EXTRA = ['**/.goreleaser.yml', '**/.sops.yaml', '**/.flux.yaml']

/** What a source leaves out always: Git's own files. */
export function vcsPatterns(domain: readonly string[] = []): IgnorePattern[] {
  return VCS.map((text) => parsePattern(text, domain))
}

/** What a source leaves out when nothing is said: pictures, archives, CI files. Saying anything replaces this, as in Flux. */
export function defaultPatterns(domain: readonly string[] = []): IgnorePattern[] {
  return [...EXTENSIONS, ...CI, ...EXTRA].map((text) => parsePattern(text, domain))
}

/** Reads ignore lines; blank lines and `#` comments are left out. */
export function readPatterns(text: string, domain: readonly string[] = []): IgnorePattern[] {
  return text
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => parsePattern(line, domain))
}

/** Reads one pattern in gitignore's notation. */
export function parsePattern(line: string, domain: readonly string[] = []): IgnorePattern {
  const isInclusion = line.startsWith('!')
  let text = isInclusion ? line.slice(1) : line
  if (!text.endsWith('\\ ')) text = trimEndOf(text, ' ')
  const isDirOnly = text.endsWith('/')
  if (isDirOnly) text = text.slice(0, -1)
  const isAnchored = text.includes('/')
  return { domain, isInclusion, isDirOnly, isAnchored, elements: isAnchored ? text.split('/') : [text] }
}

/** Whether the patterns leave a path out; the last one that matches decides. */
export function isIgnored(patterns: readonly IgnorePattern[], path: readonly string[], isDir: boolean): boolean {
  for (let at = patterns.length - 1; at >= 0; at--) {
    const pattern = patterns[at]
    if (pattern && matches(pattern, path, isDir)) return !pattern.isInclusion
  }
  return false
}

/** Whether one pattern speaks about a path. */
export function matches(pattern: IgnorePattern, path: readonly string[], isDir: boolean): boolean {
  if (path.length <= pattern.domain.length) return false
  if (pattern.domain.some((element, at) => path[at] !== element)) return false
  const rest = path.slice(pattern.domain.length)
  return pattern.isAnchored ? matchesAnchored(pattern, rest, isDir) : matchesAnywhere(pattern, rest, isDir)
}

function matchesAnywhere(pattern: IgnorePattern, path: readonly string[], isDir: boolean): boolean {
  const at = path.findIndex((element) => matchElement(pattern.elements[0] ?? '', element))
  if (at < 0) return false
  return !(pattern.isDirOnly && !isDir && at === path.length - 1)
}

/** `**` skips to the first element that matches what follows it: greedy as Flux's matcher, which differs from git's in odd cases. */
function matchesAnchored(pattern: IgnorePattern, path: readonly string[], isDir: boolean): boolean {
  let at = 0
  let isMatched = false
  let mayskip = false
  for (const [index, element] of pattern.elements.entries()) {
    if (element === '') {
      mayskip = false
      continue
    }
    if (element === '**') {
      if (index === pattern.elements.length - 1) break
      mayskip = true
      continue
    }
    if (element.includes('**') || at >= path.length) return false
    if (mayskip) {
      mayskip = false
      const found = path.findIndex((name, position) => position >= at && matchElement(element, name))
      isMatched = found >= 0
      at = isMatched ? found + 1 : path.length
    } else {
      if (!matchElement(element, path[at] ?? '')) return false
      at++
      isMatched = true
    }
  }
  return isMatched && !(pattern.isDirOnly && !isDir && at === path.length)
}
