import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { renderMetadata } from '../../../pipeline/ci/docker-metadata.ts'
import type { CiEvent } from '../../../pipeline/ci/event.ts'
import { runDocker } from '../docker/docker-command.ts'
import type { JobImages } from '../docker/images.ts'
import { checkOut, type SourceCopy } from '../source.ts'
import { own } from '../../../lib/value/own.ts'

/** What an action gets. */
export type ActionCall = {
  readonly with: Readonly<Record<string, string>>
  readonly workspace: string
  readonly env: Readonly<Record<string, string>>
  readonly event: CiEvent
  readonly repository: string
  readonly source: SourceCopy
  readonly images: JobImages
  readonly authorization: string | undefined
  readonly log: (line: string) => void
  readonly addMask: (secret: string) => void
  readonly signal: AbortSignal
}

type Action = (call: ActionCall) => Promise<Readonly<Record<string, string>>>

const ACTIONS: Readonly<Record<string, Action>> = {
  'actions/checkout': checkout,
  'actions/setup-node': setupNode,
  'docker/login-action': login,
  'docker/setup-buildx-action': ready,
  'docker/setup-qemu-action': ready,
  'docker/build-push-action': buildPush,
  'docker/metadata-action': metadata,
}

/**
 * The built-in that stands for `uses:`, whatever its version.
 *
 * @throws SluiceError STEP_UNSUPPORTED, naming the action and those that there are
 */
export function findAction(uses: string, where: string): Action {
  const name = (uses.split('@')[0] ?? '').toLowerCase()
  const action = own(ACTIONS, name)
  if (action) return action
  throw new SluiceError('STEP_UNSUPPORTED', `the action "${uses}" is not built in`, {
    where,
    hint: `built in are ${Object.keys(ACTIONS).join(', ')}; anything else can be a run step`,
  })
}

async function checkout({ with: input, ...call }: ActionCall): Promise<Record<string, string>> {
  refuseInputs('actions/checkout', input, ['repository', 'ref', 'submodules', 'lfs', 'sparse-checkout'])
  const path = input['path'] ?? ''
  if (path.startsWith('/') || path.split('/').includes('..'))
    throw new SluiceError('STEP_UNSUPPORTED', `actions/checkout: the path "${path}" leaves the workspace`)
  const depth = Number(input['fetch-depth'] || '1')
  await checkOut(call.source, {
    workspace: path === '' ? call.workspace : `${call.workspace}/${path}`,
    commit: call.event.commit,
    ref: call.event.ref,
    depth: Number.isInteger(depth) && depth >= 0 ? depth : 1,
    clean: input['clean'] !== 'false',
    authorization: /^false$/i.test(input['persist-credentials'] ?? '') ? undefined : call.authorization,
  })
  call.log(`checked out ${call.event.commit} (${call.event.ref})`)
  return { ref: call.event.ref, commit: call.event.commit }
}

/** `false` and nothing ask for nothing. */
function refuseInputs(action: string, input: ActionCall['with'], names: readonly string[]): void {
  for (const name of names)
    if (!/^(false)?$/i.test(input[name] ?? ''))
      throw new SluiceError('STEP_UNSUPPORTED', `${action} with "${name}" is not supported`)
}

async function setupNode({ with: input, log }: ActionCall): Promise<Record<string, string>> {
  const wanted = input['node-version'] ?? ''
  const own = process.version
  if (/^\d+/.test(wanted) && Number.parseInt(wanted, 10) !== Number.parseInt(own.slice(1), 10))
    log(`::warning::node ${wanted} was asked for; this machine's own ${own} is used`)
  else log(`this machine's own node ${own} is used`)
  return { 'node-version': own }
}

async function ready(): Promise<Record<string, string>> {
  return {}
}

async function login({ with: input, images, addMask, log }: ActionCall): Promise<Record<string, string>> {
  const password = input['password'] ?? ''
  addMask(password)
  const host = (input['registry'] ?? '') === '' ? 'docker.io' : (input['registry'] ?? '')
  images.login(host, input['username'] ?? '', password)
  log(`logged in at ${host}`)
  return {}
}

/** Inputs that would change the image, or where it goes, and that nothing here carries out. */
const NOT_BUILT_WITH = [
  ...['add-hosts', 'annotations', 'build-contexts', 'outputs'],
  ...['secret-envs', 'secret-files', 'secrets', 'ssh'],
]

async function buildPush({ with: input, ...call }: ActionCall): Promise<Record<string, string>> {
  refuseInputs('docker/build-push-action', input, NOT_BUILT_WITH)
  if (input['call'] !== 'build') refuseInputs('docker/build-push-action', input, ['call'])
  const tags = lines(input['tags'] ?? '', true)
  const flag = (name: string): boolean => /^true$/i.test(input[name] ?? '')
  const many = (option: string, name: string): string[] =>
    lines(input[name] ?? '', false).flatMap((one) => [option, one])
  const single = (option: string, name: string): string[] =>
    (input[name] ?? '') === '' ? [] : [option, input[name] ?? '']
  const argv = [
    ...['build', ...tags.flatMap((tag) => ['--tag', tag])],
    ...[...many('--build-arg', 'build-args'), ...many('--label', 'labels')],
    ...[...single('--file', 'file'), ...single('--target', 'target'), ...single('--platform', 'platforms')],
    ...single('--network', 'network'),
    ...[...(flag('no-cache') ? ['--no-cache'] : []), ...(flag('pull') ? ['--pull'] : [])],
    (input['context'] ?? '') === '' ? '.' : (input['context'] ?? '.'),
  ]
  let imageId = ''
  const faults: string[] = []
  const output = {
    out: (line: string) => void (imageId = line),
    err: (line: string) => void (faults.push(line), call.log(line)),
  }
  const code = await runDocker({ argv, cwd: call.workspace, env: call.env, input: '' }, output, call)
  if (code !== 0) throw new SluiceError('STEP_FAILED', faults.at(-1)?.replace(/^ERROR: /, '') ?? 'the build failed')
  let digest = ''
  if (flag('push')) for (const tag of tags) ({ digest } = await call.images.push(tag, call.log, call.signal))
  call.log(flag('push') ? `pushed ${tags.join(', ')} ${digest}` : `built ${imageId}, not pushed`)
  return {
    imageid: imageId,
    digest,
    metadata: JSON.stringify({ 'containerimage.digest': digest, 'image.name': tags.join(',') }),
  }
}

async function metadata({ with: input, ...call }: ActionCall): Promise<Record<string, string>> {
  const answer = renderMetadata({
    images: lines(input['images'] ?? '', false),
    rules: lines(input['tags'] ?? '', false),
    flavor: lines(input['flavor'] ?? '', false),
    ref: call.event.ref,
    commit: call.event.commit,
    pull: call.event.pull,
    repositoryUrl: call.source.url,
    title: call.repository,
  })
  if (typeof answer === 'string') throw new SluiceError('STEP_UNSUPPORTED', `docker/metadata-action: ${answer}`)
  const { tags, labels, version } = answer
  for (const tag of tags) call.log(tag)
  return { tags: tags.join('\n'), labels: labels.join('\n'), version, json: JSON.stringify({ tags, version }) }
}

function lines(text: string, isCommaToo: boolean): readonly string[] {
  return text
    .split(isCommaToo ? /[\n,]/ : '\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}
