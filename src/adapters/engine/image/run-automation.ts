import type { AutomationOutcome } from '../../../controllers/image-update-automation.ts'
import type { GitRef, GitRepository } from '../../../kinds/git-repository.ts'
import type { ImagePolicy, ImageUpdateAutomation } from '../../../kinds/image.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { renderCommitMessage, usesRemovedFields } from '../../../pipeline/image/commit-message.ts'
import { refspecFault } from '../../../pipeline/image/refspec.ts'
import type { SetterChange } from '../../../pipeline/image/setters.ts'
import { renderRevision } from '../../../pipeline/source/revision.ts'
import { cleanPath } from '../../../pipeline/source/safe-path.ts'
import { commitAndPush, isRefName, type SignCommit } from '../../git/commit-and-push.ts'
import type { Mirror } from '../../git/mirror.ts'
import { ApiError } from '../../kube/api-error.ts'
import type { EngineContext } from '../context.ts'
import { loadLogin, type Login } from '../git-repository/login.ts'
import type { Remote } from '../git-repository/remote.ts'
import { LookFailure } from '../source/look-failure.ts'
import { type Checkout, checkOut } from './checkout.ts'
import { type Edited, editFiles } from './edit-files.ts'
import { markersFact, unfollowedFact } from './markers-fact.ts'
import { behind, refspecTargets } from './refspec-targets.ts'
import { RunFailure } from './run-failure.ts'
import { signerOf } from './signer.ts'

/** What a run works with. */
export type RunInput = {
  readonly automation: ImageUpdateAutomation
  readonly source: GitRepository
  readonly policies: readonly ImagePolicy[]
  readonly mirror: Mirror
  readonly loginFolder: string
  /** Hashes of files without markers, so that they are read once. */
  readonly withoutMarkers: Set<string>
  /** The revision after the last run, when the policies have not changed since: Flux looks no further when it finds it again. */
  readonly seen: string | undefined
  /** The commit of the checked-out branch that the source offers; looked up at the remote when undefined. */
  readonly knownHead: string | undefined
}

/** A run that may begin: what it checks out, where it pushes, how it logs in and signs. */
type Run = RunInput & {
  readonly ref: GitRef
  readonly pushBranch: string
  readonly login: Login
  readonly sign: SignCommit | undefined
}

const MOST_TRIES = 6

/**
 * Runs an automation: sets the markers, one commit for all, pushed with compare-and-swap; when the branch moved meanwhile, again on top of it.
 *
 * Never throws for what the object, its source or the remote have done wrong.
 */
export async function runAutomation(context: EngineContext, input: RunInput): Promise<AutomationOutcome> {
  try {
    const { ref, pushBranch } = branchesOf(input)
    const sign = await signerOf(context.client, input.automation)
    const login = await loginFor(context, input)
    try {
      return await update(context, { ...input, ref, pushBranch, login, sign })
    } finally {
      await login.dispose()
    }
  } catch (error) {
    const outcome = failureOf(error)
    void context.report(unfollowedFact(input, outcome.message))
    return outcome
  }
}

function failureOf(error: unknown): Extract<AutomationOutcome, { kind: 'failed' }> {
  if (error instanceof RunFailure) return error.outcome
  if (!(error instanceof SluiceError)) throw error
  return { kind: 'failed', reason: 'GitOperationFailed', message: `failed to update source: ${describe(error)}` }
}

/** What is checked out, and the branch that is pushed: the automation's own words, then the source's. */
function branchesOf({ automation, source }: RunInput): { readonly ref: GitRef; readonly pushBranch: string } {
  const wish = automation.checkoutRef ?? source.ref
  const pushBranch = automation.pushBranch ?? wish.branch
  if (pushBranch !== undefined) return { ref: Object.keys(wish).length === 0 ? { branch: 'master' } : wish, pushBranch }
  throw new RunFailure(
    'SourceManagerFailed',
    'failed configuring source manager: push spec not provided, and cannot be inferred from .spec.git.checkout.ref or GitRepository .spec.ref',
  )
}

async function loginFor({ client }: EngineContext, { source, loginFolder }: RunInput): Promise<Login> {
  try {
    return await loadLogin(client, source, loginFolder)
  } catch (error) {
    if (!(error instanceof SluiceError) && !(error instanceof ApiError)) throw error
    const isMissing = error instanceof ApiError || error.code === 'SECRET_MISSING'
    const what = isMissing
      ? `failed to get auth secret '${source.namespace}/${source.secretName ?? ''}'`
      : 'failed to configure authentication options'
    throw new RunFailure('SourceManagerFailed', `failed configuring source manager: ${what}: ${error.message}`)
  }
}

/** Faults of a push in Flux's words, with ours behind. */
function describe(error: SluiceError): string {
  if (error.code === 'GIT_AUTH') return 'failed to push to remote: authorization failed: '
  if (error.code !== 'TEMPLATE_INVALID') return error.message
  const isExecution = /^template: commit message:\d+:\d+: executing /.test(error.message)
  return `${isExecution ? 'failed to run template from spec' : 'unable to create commit message template from spec'}: ${error.message}`
}

async function update(context: EngineContext, run: Run): Promise<AutomationOutcome> {
  const { automation, pushBranch, ref } = run
  // What a refspec moves may be anywhere at the remote, which is asked then.
  let known = automation.pushRefspec === undefined ? run.knownHead : undefined
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    const checkout = await tryCheckOut(context, run, known)
    known = undefined
    const sourceRevision = renderRevision(shortPointer(checkout.selected.pointer), checkout.selected.commit)
    if (run.seen === sourceRevision && pushBranch === ref.branch && automation.pushRefspec === undefined)
      return { kind: 'up-to-date', sourceRevision, problems: [], isSkipped: true }
    const edited = await editFiles({ ...run, traps: context.traps }, checkout.base)
    const { problems } = edited
    if (edited.files.length === 0) {
      void context.report(markersFact(run, edited))
      return { kind: 'up-to-date', sourceRevision, problems }
    }
    if (checkout.isBehind) throw behind(`refs/heads/${pushBranch}`)
    if (context.traps === 'flux' && usesRemovedFields(automation.messageTemplate)) throw removedField()
    const message = renderMessage(automation, edited.changes)
    const fault = refspecFault(automation.pushRefspec)
    if (fault !== undefined && context.traps === 'safe') throw refspecFailure(fault)
    const commit = await push(context, run, checkout, edited, message)
    if (commit === undefined) continue
    void context.report(writeBackFact(run, commit, edited.changes))
    void context.report(markersFact(run, edited))
    if (fault !== undefined) throw refspecFailure(fault)
    const refspec = automation.pushRefspec
    const isOwnBranch = pushBranch === ref.branch
    return {
      kind: 'pushed',
      commit,
      branch: pushBranch,
      refspec,
      message,
      sourceRevision: isOwnBranch ? renderRevision(pushBranch, commit) : sourceRevision,
      problems,
    }
  }
  throw new SluiceError(
    'GIT_FAILED',
    `failed to push to remote: the branch ${pushBranch} moved ${MOST_TRIES} times in a row`,
    { retry: 'backoff' },
  )
}

/** `refs/heads/main` -> `main`: how a commit names the ref that it came by. */
function shortPointer(pointer: string): string {
  return pointer.replace(/^refs\/[^/]+\//, '')
}

async function tryCheckOut(context: EngineContext, run: Run, known: string | undefined): Promise<Checkout> {
  const { source, mirror, login, ref, pushBranch, automation } = run
  const signal = context.within(source.timeoutMs)
  if (pushBranch !== ref.branch && !isRefName(`refs/heads/${pushBranch}`)) {
    const why = `could not checkout to branch '${pushBranch}': invalid reference name`
    throw new RunFailure('GitOperationFailed', `failed to checkout source: ${why}`)
  }
  const isKnown = automation.status['observedSourceRevision'] !== undefined && pushBranch === ref.branch
  const remote: Remote = { url: source.url, ref, isKnown, login, mirror, signal, traps: context.traps }
  try {
    return await checkOut(remote, pushBranch, known)
  } catch (error) {
    if (!(error instanceof SluiceError) && !(error instanceof LookFailure)) throw error
    // To push to another branch all are cloned, and Go's library finds none among them with other words.
    const why =
      pushBranch === ref.branch
        ? error.message
        : error.message.replace(/couldn't find remote ref "refs\/heads\/[^"]*"/, 'reference not found')
    throw new RunFailure('GitOperationFailed', `failed to checkout source: ${why}`)
  }
}

/** Flux took `.Updated` out; it notices when it writes the message. */
function removedField(): RunFailure {
  const message =
    "template uses removed '.Updated' field. Please use '.Changed' instead. See: https://fluxcd.io/flux/components/image/imageupdateautomations/#message-template"
  return new RunFailure('RemovedTemplateField', message, { isStalled: true })
}

function renderMessage(automation: ImageUpdateAutomation, changes: readonly SetterChange[]): string {
  return renderCommitMessage({
    template: automation.messageTemplate,
    automation,
    changes,
    updatePath: cleanPath(automation.updatePath),
    values: automation.messageValues,
  })
}

/** The commit, or undefined when the branch moved meanwhile. */
async function push(
  context: EngineContext,
  run: Run,
  checkout: Checkout,
  edited: Edited,
  message: string,
): Promise<string | undefined> {
  const { automation, source, mirror, login, sign, pushBranch } = run
  const { base, expected } = checkout
  const alsoRefs = await refspecTargets({ ...run, within: context.within }, checkout)
  const result = await commitAndPush({
    folder: mirror.folder,
    base,
    changes: edited.files,
    author: { ...automation.author, atMs: context.clock.nowMs() },
    message,
    keepsMessage: true,
    ...(sign ? { sign } : {}),
    url: source.url,
    login: login.git,
    branch: pushBranch,
    expected,
    beforePush: (commit) => context.report({ ...writeBackFact(run, commit, edited.changes), intended: true }),
    alsoRefs,
    pushOptions: Object.entries(automation.pushOptions).map(([key, value]) => `${key}=${value}`),
    signal: context.within(source.timeoutMs),
  })
  return result.kind === 'pushed' ? result.commit : undefined
}

function refspecFailure(fault: string): RunFailure {
  return new RunFailure('GitOperationFailed', `failed to update source: failed to push to remote: ${fault}`)
}

function writeBackFact({ automation, pushBranch }: Run, commit: string, changes: readonly SetterChange[]) {
  const images = new Map(changes.map(({ image }) => [`${image.name}:${image.tag}@${image.digest ?? ''}`, image]))
  return {
    kind: 'write-back',
    automation: `${automation.namespace}/${automation.name}`,
    branch: pushBranch,
    commit,
    images: [...images.values()].map(({ name, tag, digest }) => ({
      image: name,
      tag,
      ...(digest === undefined ? {} : { digest }),
    })),
  } as const
}
