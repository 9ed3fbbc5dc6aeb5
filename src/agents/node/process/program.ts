import { execFile } from 'node:child_process'
import { cp, mkdir, rm, symlink } from 'node:fs/promises'
import { constants } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { ContainerStart } from '../driver.ts'
import { resolveInLayers } from '../image/layered-path.ts'
import { removeTreeSync } from '../../../machine/remove-tree.ts'

/** A container's program as this machine starts it. */
export type Program = {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/** What of a container says which files it has. */
export type Files = Pick<ContainerStart, 'binds'> & { readonly image: Pick<ContainerStart['image'], 'name' | 'layers'> }

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * Copies an image's layers to a folder of the container, and puts links to its volumes where it mounts them.
 *
 * @throws SluiceError POD_CONFIG for a mount inside another mount
 */
export async function unpackRoot(root: string, { image, binds }: Files): Promise<void> {
  removeTreeSync(root)
  await mkdir(root, { recursive: true })
  for (const layer of [...image.layers].reverse())
    await cp(layer, root, { recursive: true, verbatimSymlinks: true, force: true, mode: constants.COPYFILE_FICLONE })
  const targets = binds.map(({ target }) => resolveInLayers(image.layers, target).path)
  for (const [index, { source }] of binds.entries()) {
    const target = targets[index] ?? ''
    if (target === '' || targets.some((other) => other !== target && target.startsWith(`${other}/`)))
      throw new SluiceError(
        'POD_CONFIG',
        `the mount at "/${target}" is inside another: pods of this node have no mounts`,
      )
    await rm(join(root, target), { recursive: true, force: true })
    await mkdir(dirname(join(root, target)), { recursive: true })
    await symlink(source, join(root, target))
  }
}

/**
 * The words of a pod for a program that sees the whole machine: the program, `PATH` and `HOME`, arguments and variables that name a file
 * of the image or of a volume point into the unpacked root. The image's `node`, where it cannot run, is this machine's.
 *
 * @throws SluiceError IMAGE_INVALID when the image has no such program
 */
export async function resolveProgram(
  root: string,
  files: Files,
  o: Pick<ContainerStart, 'command' | 'workingDir'> & { readonly env: ReadonlyMap<string, string> },
): Promise<Program> {
  const inside = (path: string): string => pathInside(root, files, path)
  const workingDir = o.workingDir || '/'
  const folders = (o.env.get('PATH') ?? DEFAULT_PATH).split(':').filter((folder) => folder.startsWith('/'))
  const [name = '', ...args] = o.command
  const program = findProgram(root, files, { name, folders, workingDir })
  const isNode = basename(name) === 'node' || basename(name) === 'nodejs'
  const own = isNode && !(program !== undefined && (await canRun(program))) ? process.execPath : undefined
  const first = own ?? program
  if (first === undefined)
    throw new SluiceError('IMAGE_INVALID', `the image "${files.image.name}" has no program "${name}"`, {
      where: 'spec.containers.command',
    })
  const env = new Map([['HOME', '/'], ...o.env])
  for (const [key, value] of env) if (value.startsWith('/') && key !== 'PATH') env.set(key, inside(value))
  env.set('PATH', [...(own ? [dirname(own)] : []), ...folders.map((folder) => join(root, folder))].join(':'))
  const place = inside(workingDir)
  const cwd = place === workingDir ? join(root, resolveInLayers(files.image.layers, workingDir).path) : place
  const words = args.map((word) => word.replace(/^(--?[\w-]+=)?(\/.*)$/s, (_, flag = '', path) => flag + inside(path)))
  return { argv: [first, ...words], cwd, env: Object.fromEntries(env) }
}

/** A path of the image or of a volume as it is on this machine; any other stays. */
function pathInside(root: string, { image, binds }: Files, path: string): string {
  const bind = binds.find(({ target }) => path === target || path.startsWith(`${target}/`))
  if (bind !== undefined) return join(bind.source, path.slice(bind.target.length))
  const found = path === '/' ? undefined : resolveInLayers(image.layers, path)
  return found?.file === undefined ? path : join(root, found.path)
}

function findProgram(
  root: string,
  { image }: Files,
  o: { readonly name: string; readonly folders: readonly string[]; readonly workingDir: string },
): string | undefined {
  const tries = o.name.startsWith('/')
    ? [o.name]
    : o.name.includes('/')
      ? [join(o.workingDir, o.name)]
      : o.folders.map((folder) => join(folder, o.name))
  for (const path of tries) {
    const found = resolveInLayers(image.layers, path)
    if (found.stats?.isFile()) return join(root, found.path)
  }
  return undefined
}

function canRun(program: string): Promise<boolean> {
  return new Promise((resolve) =>
    execFile(program, ['--version'], { timeout: 5_000, env: {} }, (error) => resolve(error === null)),
  )
}
