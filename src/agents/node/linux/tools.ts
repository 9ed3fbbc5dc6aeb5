import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { TOOL_ENV } from './launch.ts'

const NEEDED = [
  'unshare',
  'nsenter',
  'setpriv',
  'chroot',
  'mount',
  'ip',
  'sh',
  'env',
  'sleep',
  'realpath',
  'mkdir',
  'ln',
  'dirname',
]

/** What is run on the way into a container, where no file of the machine may be within reach. */
const SHOWN = ['env', 'setpriv', 'unshare', 'chroot'] as const

/** What the first process of a pod is that has one process namespace. */
const HELD = ['sh', 'sleep'] as const

/**
 * Checks that the tools of the Linux driver are on the machine and copies the files that every container gets to see: a loader, the
 * programs that lead into a container, and their libraries, all in one folder; and those that hold a process namespace of a pod in another.
 *
 * @throws SluiceError NODE_DRIVER naming what is missing
 */
export function prepareTools(folder: string, hold: string): void {
  const missing = NEEDED.filter((tool) => findTool(tool) === undefined)
  if (missing.length > 0)
    throw new SluiceError('NODE_DRIVER', `not found: ${missing.join(', ')}`, {
      hint: 'install util-linux, iproute2 and coreutils',
    })
  copyTools(folder, SHOWN)
  copyTools(hold, HELD)
}

function copyTools(folder: string, names: readonly string[]): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const libraries = new Map<string, string>()
  for (const name of names) {
    const tool = findTool(name) ?? name
    for (const [library, path] of librariesOf(tool)) libraries.set(library, path)
    libraries.set(name, tool)
  }
  for (const [name, path] of libraries)
    replaceFile(join(folder, name), (next) => {
      copyFileSync(path, next)
      chmodSync(next, 0o755)
    })
}

/** Puts a file in the place of one that programs of an earlier server may run: they keep theirs, which is never written to. */
export function replaceFile(path: string, write: (next: string) => void): void {
  const next = `${path}.next`
  try {
    rmSync(next, { force: true }) // what a start that was killed left may be read-only, as its original is
    write(next)
    renameSync(next, path)
  } catch (error) {
    rmSync(next, { force: true })
    throw error
  }
}

/** The shared libraries of a program by name, and its loader as `ld`. */
function librariesOf(tool: string): ReadonlyMap<string, string> {
  const listing = execFileSync(tool, [], { env: { ...TOOL_ENV, LD_TRACE_LOADED_OBJECTS: '1' }, encoding: 'utf8' })
  const found = new Map<string, string>()
  for (const line of listing.split('\n')) {
    const library = /^\s*(\S+) => (\/\S+)/.exec(line)
    const loader = /^\s*(\/\S+) \(0x/.exec(line)?.[1]
    if (library?.[1] && library[2]) found.set(library[1], library[2])
    else if (loader !== undefined) found.set('ld', loader)
  }
  if (found.has('ld')) return found
  throw new SluiceError('NODE_DRIVER', `${tool} is not linked against a C library that can be shown to containers`)
}

/** Why programs cannot have terminals on this machine; undefined when they can. */
export function whyNoTerminals(): string | undefined {
  const missing = ['script', 'stty'].filter((tool) => findTool(tool) === undefined)
  return missing.length === 0 ? undefined : `programs have no terminals: not found: ${missing.join(', ')}`
}

function findTool(name: string): string | undefined {
  return TOOL_ENV.PATH.split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path))
}
