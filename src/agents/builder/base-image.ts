import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { RegistryClient } from '../../adapters/registry/client.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { MEDIA } from '../../lib/oci/media-types.ts'
import { linuxPlatform } from '../../lib/oci/platform.ts'
import type { ImageConfig } from '../../lib/oci/types.ts'
import { readElf } from './elf.ts'
import { pushImage } from './images.ts'
import { type LayerEntry, writeLayer } from './layer.ts'
import { findImage, type ImageStore, readImage, referenceFrom, setTag } from './store.ts'

/** The base image that the example's Dockerfiles start from. */
const NODE_BASE_IMAGE = 'registry.sluice.local/library/node:20'

/** Changes when the image is made differently. */
const RECIPE = 'node-base 1'

const LIBRARY_FOLDERS = [
  '/lib/x86_64-linux-gnu',
  '/usr/lib/x86_64-linux-gnu',
  '/lib/aarch64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/lib64',
  '/usr/lib64',
  '/lib',
  '/usr/lib',
  '/usr/local/lib',
]
const CERTIFICATES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem']

/** A base image in the store, and how it came there. */
export type BaseImage = { readonly name: string; readonly manifestDigest: string; readonly cached: boolean }

/**
 * Makes a base image from this machine's own Node: the program, its shared libraries, a shell where there is one, CA
 * certificates and a minimal `/etc`. No network. Made once; the next time only the files' stamps are compared.
 *
 * @param o.registry pushes it there as well
 * @throws SluiceError BUILD_CONTEXT when this is not Linux or a library cannot be found
 */
export async function makeNodeBaseImage(
  store: ImageStore,
  o: { readonly registry?: RegistryClient; readonly name?: string; readonly log?: (line: string) => void } = {},
): Promise<BaseImage> {
  if (process.platform !== 'linux')
    throw new SluiceError('BUILD_CONTEXT', `no base image can be made from the Node of ${process.platform}`, {
      hint: 'push a Linux image of Node to the registry under the name that the Dockerfiles use',
    })
  const name = o.name ?? NODE_BASE_IMAGE
  const node = realpathSync(process.execPath)
  const key = `${RECIPE} ${[node, ...sourcesOf()].map(stampOf).join(' ')}`
  const known = await store.cache.get(key)
  const image = known === undefined ? undefined : await readImage(store, known)
  const manifestDigest = image?.manifestDigest ?? (await build(store, node, o.log))
  if (image === undefined) await store.cache.set(key, manifestDigest)
  if ((await findImage(store, name))?.manifestDigest !== manifestDigest)
    await setTag(store, referenceFrom(name), manifestDigest)
  if (o.registry) await pushImage(store, name, o.registry)
  return { name, manifestDigest, cached: image !== undefined }
}

async function build(store: ImageStore, node: string, log?: (line: string) => void): Promise<string> {
  log?.(`making the base image from ${node}`)
  const layer = await writeLayer(store, plan(node))
  const { architecture, os } = linuxPlatform(process.arch)
  const config: ImageConfig = {
    created: '1970-01-01T00:00:00Z',
    architecture,
    os,
    config: {
      Env: [
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        `NODE_VERSION=${process.versions.node}`,
      ],
      Cmd: ['node'],
      WorkingDir: '/',
    },
    rootfs: { type: 'layers', diff_ids: [layer.diffId] },
    history: [{ created: '1970-01-01T00:00:00Z', created_by: `sluice: node ${process.versions.node} of this machine` }],
  }
  const configBytes = Buffer.from(JSON.stringify(config))
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config: { mediaType: MEDIA.config, digest: await store.content.write(configBytes), size: configBytes.length },
    layers: [layer.descriptor],
  }
  return store.content.write(Buffer.from(JSON.stringify(manifest)))
}

function plan(node: string): LayerEntry[] {
  const shell = existsSync('/bin/sh') ? realpathSync('/bin/sh') : undefined
  const programs = [node, ...(shell === undefined ? [] : [shell])]
  const files = new Map<string, string>([['usr/local/bin/node', node]])
  if (shell !== undefined) files.set('bin/sh', shell)
  for (const program of programs) for (const [path, source] of needsOf(program)) files.set(path, source)
  const certificates = CERTIFICATES.find((path) => existsSync(path))
  if (certificates !== undefined) files.set('etc/ssl/certs/ca-certificates.crt', realpathSync(certificates))
  const entries = [...files].map(([path, source]) => fileEntry(path, source))
  entries.push(...ETC.map(([path, text]) => textEntry(path, text)))
  entries.push(...FOLDERS.map(([path, mode]) => folderEntry(path, mode)))
  return [...parentsOf(entries), ...entries]
}

const FOLDERS: readonly (readonly [string, number])[] = [
  ['tmp', 0o1777],
  ['var/tmp', 0o1777],
  ['root', 0o700],
  ['home/node', 0o755],
  ['proc', 0o755],
  ['sys', 0o755],
  ['dev', 0o755],
  ['run', 0o755],
]

const ETC: readonly (readonly [string, string])[] = [
  [
    'etc/passwd',
    'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n',
  ],
  ['etc/group', 'root:x:0:\nnode:x:1000:\nnogroup:x:65534:\n'],
  ['etc/hosts', '127.0.0.1\tlocalhost\n::1\tlocalhost\n'],
  ['etc/resolv.conf', ''],
  ['etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'],
]

/** The shared libraries of a program and of those, and its loader: path in the image -> file here. */
function needsOf(program: string): Map<string, string> {
  const found = new Map<string, string>()
  const todo = [program]
  const seen = new Set<string>()
  for (let file = todo.pop(); file !== undefined; file = todo.pop()) {
    if (seen.has(file)) continue
    seen.add(file)
    const needs = elfOf(file)
    if (needs === undefined) continue
    if (needs.interpreter !== undefined) {
      found.set(needs.interpreter.slice(1), realpathSync(needs.interpreter))
      todo.push(realpathSync(needs.interpreter))
    }
    const own = needs.paths.map((path) => path.replaceAll(/\$(ORIGIN|\{ORIGIN\})/g, dirname(file)))
    for (const library of needs.libraries) {
      const path = findLibrary(library, own, file)
      found.set(path.slice(1), realpathSync(path))
      todo.push(realpathSync(path))
    }
  }
  return found
}

function findLibrary(name: string, own: readonly string[], neededBy: string): string {
  const folders = [...own, ...LIBRARY_FOLDERS, ...configuredFolders()]
  const folder = folders.find((each) => existsSync(join(each, name)) && elfOf(realpathSync(join(each, name))))
  if (folder !== undefined) return join(folder, name)
  throw new SluiceError('BUILD_CONTEXT', `${basename(neededBy)} needs ${name}, which is in no library folder`)
}

function configuredFolders(): string[] {
  const folder = '/etc/ld.so.conf.d'
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .filter((line) => line.startsWith('/'))
}

function elfOf(path: string): ReturnType<typeof readElf> {
  const file = openSync(path, 'r')
  try {
    return readElf((offset, length) => {
      const bytes = Buffer.alloc(length)
      return bytes.subarray(0, readSync(file, bytes, 0, length, offset))
    })
  } finally {
    closeSync(file)
  }
}

function sourcesOf(): string[] {
  return ['/bin/sh', ...CERTIFICATES].filter((path) => existsSync(path)).map((path) => realpathSync(path))
}

function stampOf(path: string): string {
  const { size, mtimeMs, ino } = statSync(path)
  return [path, size, mtimeMs, ino].join(':')
}

function fileEntry(path: string, source: string): LayerEntry {
  const { size, mode } = statSync(source)
  const content = { from: 'file', path: source, offset: 0 } as const
  return { ...ROOT_OWNED, path, type: 'file', mode: mode & 0o111 ? 0o755 : 0o644, sizeBytes: size, content }
}

function textEntry(path: string, text: string): LayerEntry {
  const bytes = Buffer.from(text)
  return { ...ROOT_OWNED, path, type: 'file', mode: 0o644, sizeBytes: bytes.length, content: { from: 'bytes', bytes } }
}

function folderEntry(path: string, mode: number): LayerEntry {
  const owner = path === 'home/node' ? { uid: 1000, gid: 1000 } : {}
  return { ...ROOT_OWNED, path, type: 'directory', mode, sizeBytes: 0, content: undefined, ...owner }
}

const ROOT_OWNED = { uid: 0, gid: 0, linkPath: '' } as const

function parentsOf(entries: readonly LayerEntry[]): LayerEntry[] {
  const known = new Set(entries.filter(({ type }) => type === 'directory').map(({ path }) => path))
  const parents = new Set<string>()
  for (const { path } of entries)
    for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1))
      parents.add(path.slice(0, slash))
  return [...parents].filter((path) => !known.has(path)).map((path) => folderEntry(path, 0o755))
}
