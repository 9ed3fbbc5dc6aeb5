import { isAbsolute, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { describeError, SluiceError } from '../../../lib/error/sluice-error.ts'
import type { JobImages } from './images.ts'
import { own } from '../../../lib/value/own.ts'

/** A call of `docker` in a job. */
export type DockerCall = {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly input: string
}

/** Where the call prints. */
export type DockerOutput = { readonly out: (line: string) => void; readonly err: (line: string) => void }

/** What a call reaches. */
export type DockerReach = {
  readonly images: JobImages
  readonly addMask: (secret: string) => void
  readonly signal: AbortSignal
}

type Command = (args: readonly string[], call: DockerCall, to: DockerOutput, reach: DockerReach) => Promise<void>

const COMMANDS: Readonly<Record<string, Command>> = {
  build,
  'buildx build': build,
  'image build': build,
  'buildx create': quiet,
  'buildx use': quiet,
  'buildx inspect': quiet,
  'buildx version': version,
  version,
  '--version': version,
  info: version,
  tag,
  'image tag': tag,
  push,
  'image push': push,
  pull,
  'image pull': pull,
  images,
  'image ls': images,
  inspect,
  'image inspect': inspect,
  login,
  logout,
}

/**
 * Carries out one `docker` command over the builder and the registry.
 *
 * @returns the exit code; what is not done is refused by name, with exit code 1
 */
export async function runDocker(call: DockerCall, to: DockerOutput, reach: DockerReach): Promise<number> {
  const [first = '', second = ''] = call.argv
  const two = own(COMMANDS, `${first} ${second}`)
  const command = two ?? own(COMMANDS, first)
  try {
    if (command === undefined)
      throw new SluiceError(
        'STEP_UNSUPPORTED',
        `docker ${first}: this docker does build, tag, push, pull, login, images and inspect`,
        {
          hint: 'run it where a container engine is installed',
        },
      )
    await command(call.argv.slice(two ? 2 : 1), call, to, reach)
    return 0
  } catch (error) {
    to.err(`ERROR: ${describeError(error).replace(/\n\s*/g, '; ')}`)
    return 1
  }
}

const BUILD_OPTIONS = {
  tag: { type: 'string', short: 't', multiple: true },
  file: { type: 'string', short: 'f' },
  'build-arg': { type: 'string', multiple: true },
  label: { type: 'string', multiple: true },
  target: { type: 'string' },
  network: { type: 'string' },
  'no-cache': { type: 'boolean' },
  pull: { type: 'boolean' },
  push: { type: 'boolean' },
  quiet: { type: 'boolean', short: 'q' },
  // accepted, because they change nothing here
  load: { type: 'boolean' },
  rm: { type: 'boolean' },
  'force-rm': { type: 'boolean' },
  progress: { type: 'string' },
  builder: { type: 'string' },
  'cache-from': { type: 'string', multiple: true },
  'cache-to': { type: 'string', multiple: true },
  provenance: { type: 'string' },
  sbom: { type: 'string' },
  platform: { type: 'string' },
} as const

async function build(args: readonly string[], call: DockerCall, to: DockerOutput, reach: DockerReach): Promise<void> {
  const { values, positionals } = parseArgs({ args: [...args], options: BUILD_OPTIONS, allowPositionals: true })
  const [context, ...rest] = positionals
  if (context === undefined || rest.length > 0) throw usage('"docker build" requires 1 argument: the context folder')
  if (context === '-' || values.file === '-' || /^[a-z]+:\/\//.test(context))
    throw usage('a context or Dockerfile from standard input or an address is not supported: give a folder')
  checkPlatform(values.platform)
  const contextDir = resolve(call.cwd, context)
  const log = values.quiet ? () => undefined : to.err
  const tags = values.tag ?? []
  const dockerfile = values.file === undefined ? undefined : insideOf(contextDir, resolve(call.cwd, values.file))
  const { imageId } = await reach.images
    .build({
      contextDir,
      ...(dockerfile === undefined ? {} : { dockerfile }),
      ...(values.target === undefined ? {} : { target: values.target }),
      tags,
      buildArgs: pairs(values['build-arg'] ?? [], call.env),
      labels: pairs(values.label ?? [], {}),
      noCache: values['no-cache'] ?? false,
      pull: values.pull ?? false,
      network: networkOf(values.network),
      log,
      signal: reach.signal,
    })
    .catch((error: unknown) => {
      throw fromWorkFolder(error, dockerfile ?? 'Dockerfile', relative(call.cwd, contextDir))
    })
  if (values.push) for (const name of tags) await reach.images.push(name, log, reach.signal)
  to.out(imageId)
}

/** The builder names files within the context; who reads the error thinks of the folder that the command was run in. */
function fromWorkFolder(error: unknown, dockerfile: string, context: string): unknown {
  if (!(error instanceof SluiceError) || context.startsWith('..')) return error
  if (error.where !== dockerfile && error.where?.startsWith(`${dockerfile}:`) !== true) return error
  const { code, message, retry, hint, where } = error
  const advice = hint === undefined ? {} : { hint }
  return new SluiceError(code, message, { retry, where: join(context, where), ...advice, cause: error })
}

/** Without a word, steps of a Dockerfile have none. */
function networkOf(word = 'none'): 'none' | 'host' {
  if (word === 'none') return 'none'
  if (word === 'host' || word === 'default') return 'host'
  throw usage(`--network ${word}: only none, default and host are supported`)
}

function checkPlatform(platform: string | undefined): void {
  const own = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`
  if (platform !== undefined && platform !== own)
    throw usage(`--platform ${platform}: only ${own} is built and run here`)
}

/** The builder takes the Dockerfile's path within the context. */
function insideOf(contextDir: string, file: string): string {
  const inside = relative(contextDir, file)
  if (inside.startsWith('..') || isAbsolute(inside))
    throw usage(`the Dockerfile "${file}" is outside of the context "${contextDir}"`)
  return inside
}

/** `NAME=value`; a bare `NAME` takes the value of the environment, as docker does. */
function pairs(list: readonly string[], env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    list.flatMap((text) => {
      const equals = text.indexOf('=')
      if (equals > 0) return [[text.slice(0, equals), text.slice(equals + 1)]]
      const value = env[text]
      return value === undefined ? [] : [[text, value]]
    }),
  )
}

async function tag(
  args: readonly string[],
  _call: DockerCall,
  _to: DockerOutput,
  { images: reach }: DockerReach,
): Promise<void> {
  const [source, target] = args
  if (source === undefined || target === undefined) throw usage('"docker tag" requires 2 arguments')
  await reach.tag(source, target)
}

async function push(args: readonly string[], _call: DockerCall, to: DockerOutput, reach: DockerReach): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { quiet: { type: 'boolean', short: 'q' }, 'all-tags': { type: 'boolean', short: 'a' } },
    allowPositionals: true,
  })
  const [name] = positionals
  if (name === undefined || values['all-tags']) throw usage('"docker push" requires 1 argument: name:tag')
  const pushed = await reach.images.push(name, values.quiet ? () => undefined : to.out, reach.signal)
  to.out(`${pushed.tag}: digest: ${pushed.digest}`)
}

async function pull(args: readonly string[], _call: DockerCall, to: DockerOutput, reach: DockerReach): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { quiet: { type: 'boolean', short: 'q' }, platform: { type: 'string' } },
    allowPositionals: true,
  })
  const [name, ...rest] = positionals
  if (name === undefined || rest.length > 0) throw usage('"docker pull" requires 1 argument')
  checkPlatform(values.platform)
  const { digest } = await reach.images.pull(name, reach.signal)
  if (!values.quiet) to.out(`Digest: ${digest}`)
  to.out(name)
}

async function images(args: readonly string[], _call: DockerCall, to: DockerOutput, reach: DockerReach): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { quiet: { type: 'boolean', short: 'q' }, all: { type: 'boolean', short: 'a' } },
    allowPositionals: true,
  })
  const isQuiet = values.quiet ?? false
  const [wanted] = positionals
  const rows = (await reach.images.list()).filter(({ name }) => wanted === undefined || name.includes(wanted))
  if (!isQuiet) to.out('REPOSITORY\tTAG\tIMAGE ID\tSIZE')
  for (const { name, imageId, sizeBytes } of rows) {
    const colon = name.lastIndexOf(':')
    const id = imageId.replace('sha256:', '').slice(0, 12)
    to.out(isQuiet ? id : `${name.slice(0, colon)}\t${name.slice(colon + 1)}\t${id}\t${(sizeBytes / 1e6).toFixed(1)}MB`)
  }
}

async function inspect(
  args: readonly string[],
  _call: DockerCall,
  to: DockerOutput,
  reach: DockerReach,
): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { type: { type: 'string' }, format: { type: 'string', short: 'f' } },
    allowPositionals: true,
  })
  if (values.format !== undefined) throw usage('"docker inspect --format" is not supported: read the JSON')
  if (values.type !== undefined && values.type !== 'image') throw usage('"docker inspect" shows images only')
  const found = await Promise.all(positionals.map((name) => reach.images.inspect(name)))
  const shown = found.map(({ imageId, manifestDigest, names: tags, config, manifest }) => ({
    Id: imageId,
    RepoTags: tags,
    RepoDigests: tags.map((name) => `${name.slice(0, name.lastIndexOf(':'))}@${manifestDigest}`),
    Architecture: config.architecture,
    Os: config.os,
    Created: config.created,
    Config: config.config,
    RootFS: config.rootfs,
    Size: manifest.layers.reduce((sum, { size }) => sum + size, 0),
  }))
  to.out(JSON.stringify(shown, null, 4))
}

async function login(args: readonly string[], call: DockerCall, to: DockerOutput, reach: DockerReach): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      username: { type: 'string', short: 'u' },
      password: { type: 'string', short: 'p' },
      'password-stdin': { type: 'boolean' },
    },
    allowPositionals: true,
  })
  const password = values['password-stdin'] ? call.input.replace(/\r?\n$/, '') : values.password
  if (values.username === undefined || password === undefined)
    throw usage('"docker login" needs --username and --password-stdin')
  reach.addMask(password)
  reach.images.login(positionals[0] ?? 'docker.io', values.username, password)
  to.out('Login Succeeded')
}

async function logout(
  args: readonly string[],
  _call: DockerCall,
  _to: DockerOutput,
  reach: DockerReach,
): Promise<void> {
  reach.images.logout(args[0] ?? 'docker.io')
}

async function version(_args: readonly string[], _call: DockerCall, to: DockerOutput): Promise<void> {
  to.out('docker of sluice: builds without a daemon')
}

async function quiet(): Promise<void> {
  // there is one builder, and it is ready
}

function usage(message: string): SluiceError {
  return new SluiceError('USAGE', message)
}
