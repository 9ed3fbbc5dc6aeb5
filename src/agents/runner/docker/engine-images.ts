import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { makeScratch } from '../../../machine/scratch.ts'
import { referenceFrom } from '../../builder/store.ts'
import { runEngine, type Engine } from './engine.ts'
import type { BuildOrder, ImageSeen, JobImages, PushedImage, PushWatcher, RegistryPlace } from './images.ts'

type Job = {
  readonly engine: Engine
  readonly registry: RegistryPlace
  /** Logins, settings and answers of this job; gone with it. */
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  /** The name as the engine knows it. */
  readonly named: (name: string) => string
}

/** What a job sees of the images of an engine of this machine, and of the registries through it. The digest of a push is known after it only. */
export function openEngineImages(
  engine: Engine,
  registry: RegistryPlace,
  { onPushed }: Pick<PushWatcher, 'onPushed'>,
): JobImages {
  const folder = makeScratch('engine')
  const job: Job = { engine, registry, folder, env: environmentOf(folder), named: namesFor(engine, registry) }
  writeFileSync(join(folder, 'registries.conf'), renderRegistries(registry))
  const logins = new Map<string, string>()
  const saveLogins = (): void => {
    const auths = Object.fromEntries([...logins].map(([host, auth]) => [host, { auth }]))
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths }), { mode: 0o600 })
  }
  saveLogins()
  const hostsOf = (host: string): readonly string[] => (host === registry.alias ? [host, registry.host] : [host])
  const run = (args: readonly string[], signal?: AbortSignal): Promise<string> =>
    runEngine(engine, args, { env: job.env, ...(signal ? { signal } : {}) })
  return {
    build: (order) => build(job, order),
    tag: async (source, target) => void (await run(['tag', job.named(source), job.named(target)])),
    async push(name, log, signal) {
      const pushed = await push(job, name, log, signal)
      onPushed(pushed)
      return pushed
    },
    async pull(name, signal) {
      await run(['pull', job.named(name)], signal)
      return { digest: (await inspect(job, name)).manifestDigest }
    },
    list: () => list(job),
    inspect: (name) => inspect(job, name),
    login(host, username, password) {
      for (const one of hostsOf(host)) logins.set(one, Buffer.from(`${username}:${password}`).toString('base64'))
      saveLogins()
    },
    logout(host) {
      for (const one of hostsOf(host)) logins.delete(one)
      saveLogins()
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function environmentOf(folder: string): Record<string, string> {
  return {
    CONTAINERS_REGISTRIES_CONF: join(folder, 'registries.conf'),
    REGISTRY_AUTH_FILE: join(folder, 'config.json'),
    DOCKER_CONFIG: folder,
    // runs in containers and without a runtime of its own, too
    BUILDAH_ISOLATION: 'chroot',
  }
}

/** Our registry by its own name, over plain HTTP on loopback; podman and buildah read it, also for `FROM`. */
function renderRegistries({ alias, host }: RegistryPlace): string {
  return `unqualified-search-registries = ["docker.io"]

[[registry]]
prefix = ${JSON.stringify(alias)}
location = ${JSON.stringify(host)}
insecure = true

[[registry]]
location = ${JSON.stringify(host)}
insecure = true
`
}

/** A docker daemon knows nothing of our name: it gets the address, which it takes for plain HTTP because it is loopback. */
function namesFor({ name: engine }: Engine, { alias, host }: RegistryPlace): (name: string) => string {
  const to = engine === 'docker' ? host : alias
  return (name) => {
    const [first = '', ...rest] = name.split('/')
    return rest.length > 0 && (first === 'registry' || first === alias) ? [to, ...rest].join('/') : name
  }
}

async function build(job: Job, order: BuildOrder): Promise<{ readonly imageId: string }> {
  const { engine, folder, env, named } = job
  const { contextDir, log, signal } = order
  log(`built by ${engine.name} ${engine.version} of this machine`)
  const idFile = join(folder, 'id')
  const pairs = (option: string, values: Readonly<Record<string, string>>): string[] =>
    Object.entries(values).flatMap(([name, value]) => [option, `${name}=${value}`])
  const args = [
    ...['build', '--iidfile', idFile, '--file', dockerfileFor(job, order)],
    ...order.tags.flatMap((tag) => ['--tag', named(tag)]),
    ...[...pairs('--build-arg', order.buildArgs), ...pairs('--label', order.labels)],
    ...(order.target === undefined ? [] : ['--target', order.target]),
    ...(order.noCache ? ['--no-cache'] : engine.name === 'buildah' ? ['--layers'] : []),
    ...(order.pull ? ['--pull'] : []),
    ...(order.network === 'host' ? ['--network', 'host'] : []),
    contextDir,
  ]
  await runEngine(engine, args, { env, log, signal })
  return { imageId: readFileSync(idFile, 'utf8').trim() }
}

/** The Dockerfile; for docker with our registry's address in the place of its name. */
function dockerfileFor(
  { engine, registry, folder }: Job,
  { contextDir, dockerfile = 'Dockerfile' }: BuildOrder,
): string {
  const file = join(contextDir, dockerfile)
  if (engine.name !== 'docker') return file
  const text = readFileSync(file, 'utf8')
  if (!text.includes(`${registry.alias}/`)) return file
  const changed = join(folder, 'Dockerfile')
  writeFileSync(changed, text.replaceAll(`${registry.alias}/`, `${registry.host}/`))
  return changed
}

async function push(
  { engine, registry, folder, env, named }: Job,
  name: string,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<PushedImage> {
  const digestFile = join(folder, 'digest')
  const options = engine.name === 'docker' ? [] : ['--digestfile', digestFile]
  const [first, ...rest] = named(name).split('/')
  // the settings that say where our name is are for pulls only
  const isOurs = engine.name !== 'docker' && first === registry.alias
  const destination = isOurs ? [`docker://${[registry.host, ...rest].join('/')}`] : []
  const output = await runEngine(engine, ['push', ...options, named(name), ...destination], { env, log, signal })
  const told = engine.name === 'docker' ? output : readFileSync(digestFile, 'utf8')
  const digest = /sha256:[0-9a-f]{64}/.exec(told)?.[0]
  if (digest === undefined)
    throw new SluiceError('STEP_FAILED', `${engine.name} push: no digest was told for "${name}"`)
  const { host, repository, tag } = referenceFrom(named(name))
  const shown = host === registry.host ? registry.alias : host
  return { image: `${shown}/${repository}`, tag: tag ?? 'latest', digest }
}

async function list({ engine, env, registry }: Job): Promise<Awaited<ReturnType<JobImages['list']>>> {
  const format = ['--format', '{{.Repository}}:{{.Tag}}|{{.ID}}|{{.Size}}']
  const own = engine.name === 'buildah' ? ['--format', '{{.Name}}:{{.Tag}}|{{.ID}}|{{.Size}}'] : format
  const text = await runEngine(engine, ['images', ...own], { env })
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('<none>'))
    .map((line) => {
      const [name = '', imageId = '', size = ''] = line.split('|')
      const shown = name.replace(`${registry.host}/`, `${registry.alias}/`).replace(/^localhost\//, '')
      return { name: shown, imageId, sizeBytes: bytesOf(size) }
    })
}

function bytesOf(text: string): number {
  const [, number = '0', unit = ''] = /^([\d.]+)\s*([kMG]?)i?B$/i.exec(text.trim()) ?? []
  return Number(number) * ({ k: 1e3, m: 1e6, g: 1e9 }[unit.toLowerCase()] ?? 1)
}

async function inspect({ engine, env, named }: Job, name: string): Promise<ImageSeen> {
  const words = engine.name === 'buildah' ? ['inspect', '--type', 'image'] : ['image', 'inspect']
  const text = await runEngine(engine, [...words, named(name)], { env })
  const parsed: unknown = JSON.parse(text)
  if (engine.name === 'buildah') {
    const { FromImageID, FromImageDigest, OCIv1, Manifest } = parsed as Buildah
    return {
      imageId: `sha256:${FromImageID}`,
      manifestDigest: FromImageDigest,
      names: [name],
      config: OCIv1,
      manifest: JSON.parse(Manifest),
    }
  }
  const [one] = parsed as readonly Docker[]
  if (one === undefined) throw new SluiceError('STEP_FAILED', `${engine.name} knows no image "${name}"`)
  return {
    imageId: one.Id,
    manifestDigest: one.RepoDigests?.[0]?.split('@')[1] ?? '',
    names: one.RepoTags ?? [],
    config: {
      architecture: one.Architecture,
      os: one.Os,
      created: one.Created,
      config: one.Config,
      rootfs: one.RootFS,
    },
    manifest: { layers: [{ size: one.Size }] },
  }
}

type Buildah = {
  readonly FromImageID: string
  readonly FromImageDigest: string
  readonly OCIv1: ImageSeen['config']
  readonly Manifest: string
}

type Docker = {
  readonly Id: string
  readonly RepoTags?: readonly string[]
  readonly RepoDigests?: readonly string[]
  readonly Architecture: string
  readonly Os: string
  readonly Created: string
  readonly Config: unknown
  readonly RootFS: unknown
  readonly Size: number
}
