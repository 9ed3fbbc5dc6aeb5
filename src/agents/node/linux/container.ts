import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { ContainerStart } from '../driver.ts'
import { resolveInLayers } from '../image/layered-path.ts'
import { containerFolder } from '../pod-folder.ts'
import { isEnvName } from '../pod/content/env.ts'
import { enterWords, type Ids, onTerminal, type Started } from './enter.ts'
import { removeTreeSync } from '../../../machine/remove-tree.ts'
import { type ContainerUser, resolveUser } from './user.ts'

/** Where things of the Linux driver are. */
export type LinuxPaths = {
  readonly stateDir: string
  readonly layers: string
  readonly tools: string
  /** What the first process of a process namespace sees. */
  readonly hold: string
  readonly initScript: string
  readonly execScript: string
  readonly enterScript: string
}

/** How containers are made on this machine. */
export type LinuxMode = {
  readonly overlay: boolean
  readonly isSingleId: boolean
  /** Most process numbers in a container; undefined where its control group counts, or nobody can. */
  readonly mostProcesses: number | undefined
}

/** What runtimes tell a program that has a terminal. */
export const TERMINAL = ['TERM', 'xterm'] as const

/** The words of the init script for one container, `--` and the program included, and its variables; makes the container's folders. */
export function startInit(
  paths: LinuxPaths,
  mode: LinuxMode,
  start: ContainerStart,
  cgroups: readonly string[],
): Started {
  const folder = containerFolder(paths.stateDir, start)
  removeTreeSync(folder)
  for (const name of ['root', 'upper', 'work']) mkdirSync(join(folder, name), { recursive: true, mode: 0o755 })
  if (!mode.overlay) copyLayers(start.image.layers, join(folder, 'root'))
  const user = resolveUser(start.image.layers, start.user)
  const ids = idsOf(mode, user, start)
  const env: ContainerStart['env'] = start.tty ? [TERMINAL, ...start.env] : start.env
  const words = programArguments({ ...start, env }, user.home)
  const { workingDir, capabilities } = start
  keepSurroundings(folder, { env: start.env, workingDir, home: user.home, ...(capabilities && { capabilities }) })
  const entered = enterWords('.', ids, words, capabilities)
  const program = start.tty ? onTerminal(entered, paths.enterScript, ids[0]) : { argv: entered, env: {} }
  const binds = start.binds.flatMap(({ source, target, readOnly }) => [
    source,
    `/${resolveInLayers(start.image.layers, target).path}`,
    readOnly ? 'ro' : 'rw',
  ])
  const init = [
    join(folder, 'root'),
    mode.overlay ? start.image.layers.map((layer) => basename(layer)).join(':') : '',
    join(folder, 'upper'),
    join(folder, 'work'),
    start.readOnlyRoot ? 'yes' : 'no',
    paths.tools,
    cgroups.join(':'),
    String(start.limits.outOfMemoryScore ?? 0),
    String(mode.mostProcesses ?? ''),
    ...binds,
    // runtimes make the folder in which a program begins
    ...['', `/${resolveInLayers(start.image.layers, workingDir || '/').path}`, 'new'],
  ]
  return { argv: ['sh', paths.initScript, ...init, '--', ...program.argv], env: program.env }
}

/** What a program that is run in a container later has around it, as the container's own. */
export type Surroundings = Pick<ContainerStart, 'env' | 'workingDir' | 'capabilities'> & { readonly home: string }

function keepSurroundings(folder: string, surroundings: Surroundings): void {
  writeFileSync(join(folder, 'surroundings.json'), JSON.stringify(surroundings), { mode: 0o600 })
}

/** Reads what `startInit` kept for a container. */
export function surroundingsOf(paths: LinuxPaths, uid: string, container: string): Surroundings {
  return JSON.parse(
    readFileSync(join(containerFolder(paths.stateDir, { uid, container }), 'surroundings.json'), 'utf8'),
  )
}

/** Numbers of user, group and more groups, or empty where only one id exists or root is meant. */
export function idsOf(
  mode: LinuxMode,
  user: ContainerUser,
  { groups, hasImageGroups }: Pick<ContainerStart, 'groups' | 'hasImageGroups'>,
): Ids {
  if (mode.isSingleId) return ['', '', '']
  const more = [...new Set([...groups, ...(hasImageGroups ? user.groups : [])])].join(',')
  return user.uid === 0 && user.gid === 0 ? ['', '', more] : [String(user.uid), String(user.gid), more]
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
    if (!isEnvName(name)) throw new SluiceError('OBJECT_INVALID', `"${name}" is no name of an environment variable`)
  const [program] = start.command
  if (program === undefined || program === '' || program.includes('='))
    throw new SluiceError('OBJECT_INVALID', `"${program ?? ''}" is no program: neither the pod nor the image names one`)
  const words = [...env].map(([name, value]) => `${name}=${value}`)
  for (const word of [...words, ...start.command])
    if (word.includes('\0') || word.length > 131_000)
      throw new SluiceError('OBJECT_INVALID', 'an argument or variable has a zero byte or more than 128 KiB')
  return ['-C', start.workingDir || '/', '--', ...words, ...start.command]
}

/** How many generations below the process that was started a container's program is: `script` stands before one with a terminal. */
export function depthOf({ tty }: { readonly tty: boolean }): number {
  return tty ? 3 : 2
}

/** The pid of a container's program. */
export function programOf(pid: number, depth: number): number | undefined {
  try {
    let at = pid
    for (let level = 0; level < depth; level++)
      at = Number(readFileSync(`/proc/${at}/task/${at}/children`, 'utf8').trim().split(' ')[0])
    return at > 0 ? at : undefined
  } catch {
    return undefined
  }
}

/** Lays the layers of an image, topmost first, over each other in a folder. */
export function copyLayers(layers: readonly string[], target: string): void {
  for (const layer of [...layers].reverse())
    cpSync(layer, target, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true, force: true })
}
