import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { trimEndOf } from '../../../lib/value/trim-end.ts'
import { runGit } from '../../git/git-process.ts'
import type { Mirror } from '../../git/mirror.ts'
import type { MirrorOf, Reader } from '../mirrors.ts'
import { remoteError } from '../../git/remote-refs.ts'
import { maskPassword } from '../../git/url.ts'
import { parseGitUrl } from '../../git/url.ts'
import { layOver, type Content, type Layer } from '../source/content.ts'
import { ANONYMOUS, type Login } from './login.ts'

/** Brings the submodules of a commit, and theirs, and answers their files by the folder they belong to. */
export type Submodules = (mirror: Mirror, url: string, commit: string) => Promise<readonly Layer[]>

/** The repository whose submodules are wanted. */
export type SubmodulesOf = {
  readonly repository: Reader & { readonly url: string }
  readonly login: Login
  readonly signal: AbortSignal
  /** `safe`: a fault says which submodule it is about. */
  readonly traps: 'safe' | 'flux'
}

/** Who logs in nowhere. */
const NOBODY: Reader = { namespace: '', secretName: undefined }

/** As in go-git, which Flux uses. */
const DEEPEST = 10
const MOST = 100

/** What Go's library says of a commit that a submodule's repository does not have. */
const NOT_OURS =
  'error decoding upload-pack response: multi_ack and multi_ack_detailed are not supported: upload-pack: not our ref'

/**
 * Makes the way to submodules.
 *
 * The login of the repository goes to submodules of the same host only; others are fetched without one.
 * @throws (later) SluiceError GIT_REMOTE when a submodule has no address, cannot be fetched, or there are too many
 */
export function submodulesWith(mirrorOf: MirrorOf, { repository, login, signal, traps }: SubmodulesOf): Submodules {
  const top = repository.url
  let count = 0
  /** Flux speaks of the repository alone. */
  const failed = (path: string, address: string, inner: string, error: SluiceError): SluiceError => {
    if (traps === 'safe') {
      const [shown, at] = [maskPassword(top), maskPassword(address)]
      return remoteError(`unable to clone '${shown}': ${error.message} (submodule '${path}' at '${at}')`, error)
    }
    const isGone = error.message.includes(`the commit ${inner} is not at the remote`)
    return remoteError(`unable to clone '${top}': ${isGone ? `${NOT_OURS} ${inner}` : error.message}`, error)
  }
  const bring = async (mirror: Mirror, url: string, commit: string, depth: number): Promise<readonly Layer[]> => {
    const links = await mirror.gitlinks(commit)
    if (links.length === 0 && traps === 'safe') return []
    if (depth === DEEPEST) throw remoteError(`submodules are nested more than ${DEEPEST} deep`)
    const addresses = await readAddresses(mirror, commit)
    // What .gitmodules names and the commit does not have stops Go's library; git leaves it out.
    const linked = new Set(links.map(({ path }) => path))
    const isMissing = [...addresses.keys()].some((path) => !linked.has(path))
    if (isMissing && traps === 'flux') throw remoteError(`unable to clone '${top}': entry not found`)
    const layers: Layer[] = []
    for (const { path, commit: inner } of links) {
      const written = addresses.get(path)
      // A link that .gitmodules does not name is an empty folder, as for git.
      if (written === undefined) continue
      if (++count > MOST) throw remoteError(`the repository has more than ${MOST} submodules`)
      const address = resolveAddress(url, written, path)
      const isOurs = sameHost(url, address)
      const own = mirrorOf(address, isOurs ? repository : NOBODY)
      const options = isOurs ? login.git : ANONYMOUS.git
      try {
        if (!(await own.has(inner))) await own.fetch(address, inner, 'HEAD', { ...options, signal })
      } catch (error) {
        throw error instanceof SluiceError ? failed(path, address, inner, error) : error
      }
      const files = await own.files(inner)
      const base: Content = {
        files: new Map(files.map((file) => [file.path, file])),
        read: (file) => own.blob(file.hash),
      }
      const content = layOver(base, await bring(own, address, inner, depth + 1))
      layers.push({ content, fromPath: '', toPath: path })
    }
    return layers
  }
  return (mirror, url, commit) => bring(mirror, url, commit, 0)
}

/** Folder -> address, from the `.gitmodules` of a commit. */
async function readAddresses(mirror: Mirror, commit: string): Promise<ReadonlyMap<string, string>> {
  const tracked = await mirror.files(commit)
  if (!tracked.some(({ path }) => path === '.gitmodules')) return new Map()
  const argv = ['config', '--blob', `${commit}:.gitmodules`, '-z', '--get-regexp', '^submodule\\..*\\.(path|url)$']
  const { code, stdout, stderr } = await runGit(mirror.folder, argv)
  // 1: there is nothing of that kind in it
  if (code > 1 || code < 0) throw remoteError(`cannot read .gitmodules: ${stderr.trim() || 'git was ended'}`)
  const named = new Map<string, { path?: string; url?: string }>()
  for (const entry of stdout.toString('utf8').split('\0')) {
    const [, name, field, value] = /^submodule\.(.*)\.(path|url)\n(.*)$/s.exec(entry) ?? []
    if (name === undefined || value === undefined) continue
    named.set(name, { ...named.get(name), [field === 'path' ? 'path' : 'url']: value })
  }
  return new Map([...named.values()].flatMap(({ path, url }) => (path && url ? [[path, url] as const] : [])))
}

/** `../lib.git` is meant from the address of the repository that says it. */
function resolveAddress(base: string, written: string, path: string): string {
  const isRelative = written.startsWith('./') || written.startsWith('../')
  const joined = isRelative ? new URL(written, `${trimEndOf(base, '/')}/`).href : written
  try {
    return parseGitUrl(joined).url
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    throw remoteError(`submodule '${path}': ${error.message}`, error)
  }
}

function sameHost(a: string, b: string): boolean {
  if (!URL.canParse(a) || !URL.canParse(b)) return false
  const [one, two] = [new URL(a), new URL(b)]
  return one.protocol === two.protocol && one.host === two.host
}
