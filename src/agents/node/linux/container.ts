import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { ContainerStart } from '../driver.ts'
import { resolveInLayers } from '../image/layered-path.ts'
import { removeTree } from './remove-tree.ts'
import { resolveUser } from './user.ts'

/** Where things of the Linux driver are. */
export type LinuxPaths = {
  readonly layers: string
  readonly tools: string
  readonly initScript: string
  readonly execScript: string
  readonly logs: (uid: string) => string
  readonly container: (uid: string, container: string) => string
}

/** How containers are made on this machine. */
export type LinuxMode = { readonly overlay: boolean; readonly isSingleId: boolean }

/** The words of the init script for one container, `--` and the program included; makes its folders. */
export function containerArguments(
  paths: LinuxPaths,
  mode: LinuxMode,
  start: ContainerStart,
  cgroups: readonly string[],
): readonly string[] {
  const folder = paths.container(start.uid, start.container)
  removeTree(folder)
  for (const name of ['root', 'upper', 'work']) mkdirSync(join(folder, name), { recursive: true, mode: 0o755 })
  if (!mode.overlay) copyLayers(start.image.layers, join(folder, 'root'))
  const user = resolveUser(start.image.layers, start.user)
  const binds = start.binds.flatMap(({ source, target, readOnly }) => [
    source,
    `/${resolveInLayers(start.image.layers, target).path}`,
    readOnly ? 'ro' : 'rw',
  ])
  return [
    join(folder, 'root'),
    mode.overlay ? start.image.layers.map((layer) => basename(layer)).join(':') : '',
    join(folder, 'upper'),
    join(folder, 'work'),
    start.readOnlyRoot ? 'yes' : 'no',
    paths.tools,
    ...idArguments(mode, user),
    cgroups.join(':'),
    ...binds,
    '--',
    ...programArguments(start, user.home),
  ]
}

/** Numbers of user and group, or empty where only one id exists or root is meant. */
export function idArguments(mode: LinuxMode, user: { readonly uid: number; readonly gid: number }): [string, string] {
  if (mode.isSingleId || (user.uid === 0 && user.gid === 0)) return ['', '']
  return [String(user.uid), String(user.gid)]
}

/** What `env -i` gets: folder, environment, program. @throws SluiceError OBJECT_INVALID */
export function programArguments(
  start: Pick<ContainerStart, 'env' | 'workingDir' | 'command'>,
  home: string,
): readonly string[] {
  const env = new Map<string, string>([
    ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ['HOME', home],
    ...start.env,
  ])
  for (const name of env.keys())
    if (!/^[A-Za-z_.][-._A-Za-z0-9]*$/.test(name))
      throw new SluiceError('OBJECT_INVALID', `"${name}" is no name of an environment variable`)
  const [program] = start.command
  if (program === undefined || program === '' || program.includes('='))
    throw new SluiceError('OBJECT_INVALID', `"${program ?? ''}" is no program: neither the pod nor the image names one`)
  const words = [...env].map(([name, value]) => `${name}=${value}`)
  for (const word of [...words, ...start.command])
    if (word.includes('\0') || word.length > 131_000)
      throw new SluiceError('OBJECT_INVALID', 'an argument or variable has a zero byte or more than 128 KiB')
  return ['-C', start.workingDir || '/', '--', ...words, ...start.command]
}

/** The pid of a container's program: two generations below the process that was started. */
export function programOf(pid: number): number | undefined {
  try {
    let at = pid
    for (let level = 0; level < 2; level++)
      at = Number(readFileSync(`/proc/${at}/task/${at}/children`, 'utf8').trim().split(' ')[0])
    return at > 0 ? at : undefined
  } catch {
    return undefined
  }
}

function copyLayers(layers: readonly string[], target: string): void {
  for (const layer of [...layers].reverse())
    cpSync(layer, target, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true, force: true })
}
