import type { AutomationOutcome } from '../../../controllers/image-update-automation.ts'
import type { GitRepository } from '../../../kinds/git-repository.ts'
import type { ImagePolicy, ImageUpdateAutomation } from '../../../kinds/image.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { renderCommitMessage } from '../../../pipeline/image/commit-message.ts'
import {
  applySetters,
  mayHaveMarkers,
  type MarkerProblem,
  type SetterChange,
  type SetterOptions,
} from '../../../pipeline/image/setters.ts'
import { commitAndPush, type FileChange } from '../../git/commit-and-push.ts'
import type { GitCredentials } from '../../git/credentials.ts'
import type { Mirror } from '../../git/mirror.ts'
import { listRemoteRefs } from '../../git/remote-refs.ts'
import { ApiError } from '../../kube/api-error.ts'
import type { EngineContext } from '../context.ts'
import { loadLogin, type Login, readSecret } from '../git-repository/login.ts'

/** What a run works with. */
export type RunInput = {
  readonly automation: ImageUpdateAutomation
  readonly source: GitRepository
  readonly policies: readonly ImagePolicy[]
  readonly mirror: Mirror
  readonly loginFolder: string
  /** Hashes of files without markers, so that they are read once. */
  readonly withoutMarkers: Set<string>
  /** The commit that the source offers; looked up at the remote when undefined. */
  readonly knownHead: string | undefined
}

const MOST_TRIES = 6

/**
 * Runs an automation: sets the markers, one commit for all, pushed with compare-and-swap; when the branch moved meanwhile, again on top of it.
 *
 * Never throws for what the object, its source or the remote have done wrong.
 */
export async function runAutomation(context: EngineContext, input: RunInput): Promise<AutomationOutcome> {
  try {
    const login = await loadLogin(context.client, input.source, input.loginFolder)
    try {
      return await update(context, input, login)
    } finally {
      await login.dispose()
    }
  } catch (error) {
    if (!(error instanceof SluiceError) && !(error instanceof ApiError)) throw error
    const isLogin = error instanceof ApiError || error.code === 'SECRET_MISSING'
    return isLogin
      ? {
          kind: 'failed',
          reason: 'SourceManagerFailed',
          message: `failed configuring source manager: ${error.message}`,
        }
      : { kind: 'failed', reason: 'GitOperationFailed', message: `failed to update source: ${describe(error)}` }
  }
}

/** Faults of a push in Flux's words, with ours behind. */
function describe(error: SluiceError): string {
  if (error.code === 'GIT_AUTH') return 'failed to push to remote: authorization failed: '
  if (error.code === 'TEMPLATE_INVALID' && / unclosed action| unexpected | not defined/.test(error.message))
    return `unable to create commit message template from spec: ${error.message}`
  return error.message
}

async function update(context: EngineContext, input: RunInput, login: Login): Promise<AutomationOutcome> {
  const { automation, source } = input
  const branch = automation.checkoutBranch ?? source.ref.branch ?? 'master'
  const pushBranch = automation.pushBranch ?? branch
  let known = pushBranch === branch ? input.knownHead : undefined
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    const heads =
      known === undefined ? await readHeads(input, login, branch, pushBranch) : { head: known, pushHead: known }
    known = undefined
    const base = heads.pushHead ?? heads.head
    await ensureCommit(input, login, base, heads.pushHead === undefined ? branch : pushBranch)
    const edited = await edit(input, base, context.traps)
    const sourceRevision = `${branch}@sha1:${heads.head}`
    if (edited.files.length === 0) return { kind: 'up-to-date', sourceRevision, problems: edited.problems }
    const message = renderCommitMessage({
      template: automation.messageTemplate,
      automation,
      changes: edited.changes,
      values: automation.messageValues,
    })
    const pushed = await push(context, input, {
      base,
      expected: heads.pushHead,
      branch: pushBranch,
      files: edited.files,
      message,
      beforePush: (commit) =>
        context.report({ ...writeBackFact(input, pushBranch, commit, edited.changes), intended: true }),
    })
    if (pushed === undefined) continue
    void context.report(writeBackFact(input, pushBranch, pushed, edited.changes))
    return {
      kind: 'pushed',
      commit: pushed,
      branch: pushBranch,
      refspec: automation.pushRefspec,
      message,
      sourceRevision: pushBranch === branch ? `${branch}@sha1:${pushed}` : sourceRevision,
      problems: edited.problems,
    }
  }
  throw new SluiceError(
    'GIT_FAILED',
    `failed to push to remote: the branch ${pushBranch} moved ${MOST_TRIES} times in a row`,
    { retry: 'backoff' },
  )
}

async function readHeads({ automation, source }: RunInput, login: Login, branch: string, pushBranch: string) {
  const refs = await listRemoteRefs(source.url, login.http, AbortSignal.timeout(source.timeoutMs))
  const headOf = (name: string): string | undefined => refs.find((ref) => ref.name === `refs/heads/${name}`)?.commit
  const head = headOf(branch)
  if (head === undefined)
    throw new SluiceError('GIT_FAILED', `failed to checkout source: couldn't find remote ref "refs/heads/${branch}"`, {
      retry: 'backoff',
      where: `${automation.kind}/${automation.name} spec.git.checkout.ref.branch`,
    })
  return { head, pushHead: headOf(pushBranch) }
}

async function ensureCommit({ mirror, source }: RunInput, login: Login, commit: string, branch: string): Promise<void> {
  if (await mirror.has(commit)) return
  const options = { ...login.git, signal: AbortSignal.timeout(source.timeoutMs) }
  await mirror.fetch(source.url, commit, `refs/heads/${branch}`, options)
}

type Edited = {
  readonly files: readonly FileChange[]
  readonly changes: readonly SetterChange[]
  readonly problems: readonly MarkerProblem[]
}

async function edit(input: RunInput, commit: string, traps: 'safe' | 'flux'): Promise<Edited> {
  const { automation, mirror, withoutMarkers } = input
  const folder = folderOf(automation.updatePath)
  const options: SetterOptions = { policies: input.policies.map(setterPolicy), namespace: automation.namespace, traps }
  const all = await mirror.files(commit)
  const files: FileChange[] = []
  const changes: SetterChange[] = []
  const problems: MarkerProblem[] = []
  if (folder !== '' && !all.some(({ path }) => path.startsWith(folder)))
    problems.push({ where: 'spec.update.path', problem: `there is nothing at "${automation.updatePath}"` })
  for (const file of all) {
    if (!file.path.startsWith(folder) || !mayHaveMarkers(file.path) || withoutMarkers.has(file.hash)) continue
    const text = (await mirror.blob(file.hash)).toString('utf8')
    if (!text.includes('$imagepolicy')) {
      withoutMarkers.add(file.hash)
      continue
    }
    const result = applySetters(file.path, text, options)
    problems.push(...result.problems)
    if (result.text === text) continue
    changes.push(...result.changes)
    files.push({ path: file.path, bytes: Buffer.from(result.text), mode: file.isExecutable ? '100755' : '100644' })
  }
  return { files, changes, problems }
}

function setterPolicy({ namespace, name, latestRef }: ImagePolicy): SetterOptions['policies'][number] {
  return { namespace, name, latest: latestRef }
}

/** `./deploy` -> `deploy/`; what would leave the repository stays inside it. */
function folderOf(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.length === 0 ? '' : `${parts.join('/')}/`
}

type Push = {
  readonly base: string
  readonly expected: string | undefined
  readonly branch: string
  readonly files: readonly FileChange[]
  readonly message: string
  readonly beforePush: (commit: string) => void | Promise<void>
}

/** The commit, or undefined when the branch moved meanwhile. */
async function push(
  context: EngineContext,
  input: RunInput,
  { base, expected, branch, files, message, beforePush }: Push,
): Promise<string | undefined> {
  const { automation, source, mirror } = input
  const target = automation.pushRefspec?.slice(automation.pushRefspec.indexOf(':') + 1)
  const result = await commitAndPush({
    folder: mirror.folder,
    base,
    changes: files,
    author: { ...automation.author, atMs: context.clock.nowMs() },
    message,
    keepsMessage: true,
    url: source.url,
    credentials: await credentialsOf(context, source),
    branch,
    expected,
    beforePush,
    ...(target === undefined ? {} : { alsoRefs: [target] }),
    pushOptions: Object.entries(automation.pushOptions).map(([key, value]) => `${key}=${value}`),
    signal: AbortSignal.timeout(source.timeoutMs),
  })
  return result.kind === 'pushed' ? result.commit : undefined
}

async function credentialsOf(
  { client }: EngineContext,
  { namespace, secretName }: GitRepository,
): Promise<GitCredentials> {
  if (secretName === undefined) return {}
  const data = await readSecret(client, namespace, secretName)
  const fields: readonly (readonly [keyof GitCredentials, readonly string[]])[] = [
    ['username', ['username']],
    ['password', ['password']],
    ['bearerToken', ['bearerToken']],
    ['sshKeyPem', ['identity']],
    ['knownHosts', ['known_hosts']],
    ['caPem', ['ca.crt', 'caFile']],
    ['certPem', ['tls.crt', 'certFile']],
    ['keyPem', ['tls.key', 'keyFile']],
  ]
  const found = fields.flatMap(([field, keys]) => {
    const value = keys.map((key) => data[key]).find((one) => one !== undefined)
    return value === undefined ? [] : [[field, value.toString('utf8')] as const]
  })
  return Object.fromEntries(found)
}

function writeBackFact({ automation }: RunInput, branch: string, commit: string, changes: readonly SetterChange[]) {
  const images = new Map(changes.map(({ image }) => [`${image.name}:${image.tag}@${image.digest ?? ''}`, image]))
  return {
    kind: 'write-back',
    automation: `${automation.namespace}/${automation.name}`,
    branch,
    commit,
    images: [...images.values()].map(({ name, tag, digest }) => ({
      image: name,
      tag,
      ...(digest === undefined ? {} : { digest }),
    })),
  } as const
}
