import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { KeeperClient } from '../keeper/client.ts'
import type { LinuxPaths } from './container.ts'
import { enterWords } from './enter.ts'
import { TOOL_ENV } from './launch.ts'
import { removeTreeSync } from '../../../machine/remove-tree.ts'

/**
 * Runs a container without an image, by the same words as every later one.
 *
 * @returns whether overlays work; without them roots are copied
 * @throws SluiceError NODE_DRIVER with what the machine answered
 */
export async function checkMachine(
  keeper: KeeperClient,
  paths: LinuxPaths,
  stateDir: string,
  mostProcesses: number | undefined,
): Promise<boolean> {
  const most = String(mostProcesses ?? '')
  const folder = join(stateDir, 'self-check')
  mkdirSync(join(paths.layers, 'empty'), { recursive: true, mode: 0o755 })
  try {
    // these characters mean something in the options of an overlay mount
    const first = /[:,\\\s"]/.test(stateDir) ? undefined : await tryRun(keeper, paths, folder, 'empty', most)
    if (first?.code === 0) return true
    const second = await tryRun(keeper, paths, folder, '', most)
    if (second.code === 0) return false
    throw new SluiceError('NODE_DRIVER', `a container does not start: ${firstLine(second.output)}`)
  } finally {
    removeTreeSync(folder)
  }
}

async function tryRun(
  keeper: KeeperClient,
  paths: LinuxPaths,
  folder: string,
  lowers: string,
  mostProcesses: string,
): Promise<{ code: number; output: string }> {
  removeTreeSync(folder)
  for (const name of ['root', 'upper', 'work']) mkdirSync(join(folder, name), { recursive: true, mode: 0o755 })
  const program = ['-C', '/', '--', 'A=1', '/.sluice/ld', '--library-path', '/.sluice', '/.sluice/env']
  const words = [
    join(folder, 'root'),
    lowers,
    join(folder, 'upper'),
    join(folder, 'work'),
    'no',
    paths.tools,
    '',
    '0',
    mostProcesses,
  ]
  // the layers' folder is the working directory of every start: overlay names are relative to it
  const argv = [
    'sh',
    '-c',
    'cd "$1" && shift && exec "$@"',
    'sh',
    paths.layers,
    'unshare',
    '-m',
    '-p',
    '--fork',
    '--kill-child',
    '--',
  ]
  return keeper.exec({
    argv: [...argv, 'sh', paths.initScript, ...words, '--', ...enterWords('.', ['', '', ''], program)],
    env: TOOL_ENV,
    timeoutMs: 15_000,
  })
}

function firstLine(output: string): string {
  const lines = output.trim().split('\n')
  return lines.find((line) => line.startsWith('sluice: ')) ?? lines[0] ?? 'no answer'
}
