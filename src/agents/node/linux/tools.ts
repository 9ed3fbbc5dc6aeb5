import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { TOOL_ENV } from './launch.ts'

const NEEDED = [
  'unshare',
  'nsenter',
  'setpriv',
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

/**
 * Checks that the tools of the Linux driver are on the machine and copies the three files that every container gets to see:
 * a loader, the C library and `env`.
 *
 * @throws SluiceError NODE_DRIVER naming what is missing
 */
export function prepareTools(folder: string): void {
  const missing = NEEDED.filter((tool) => findTool(tool) === undefined)
  if (missing.length > 0)
    throw new SluiceError('NODE_DRIVER', `not found: ${missing.join(', ')}`, {
      hint: 'install util-linux, iproute2 and coreutils',
    })
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const env = findTool('env') ?? '/usr/bin/env'
  const listing = execFileSync(env, [], { env: { ...TOOL_ENV, LD_TRACE_LOADED_OBJECTS: '1' }, encoding: 'utf8' })
  copyFileSync(env, join(folder, 'env'))
  let loader: string | undefined
  for (const line of listing.split('\n')) {
    const library = /^\s*(\S+) => (\/\S+)/.exec(line)
    if (library?.[1] && library[2]) copyFileSync(library[2], join(folder, library[1]))
    loader ??= /^\s*(\/\S+) \(0x/.exec(line)?.[1]
  }
  if (loader === undefined)
    throw new SluiceError('NODE_DRIVER', `${env} is not linked against a C library that can be shown to containers`)
  copyFileSync(loader, join(folder, 'ld'))
  for (const name of ['env', 'ld']) chmodSync(join(folder, name), 0o755)
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
