import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { resolve } from 'node:path'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { toldMissing } from '../../machine/missing-git.ts'

/** Settings for every git that the server starts: nothing of the machine's or the repository's own is trusted. */
const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsync=committed,reference,loose-object',
  'core.fsyncMethod=batch',
  'core.protectHFS=true',
  'core.protectNTFS=true',
  'core.autocrlf=false',
  'core.attributesFile=/dev/null',
  'core.excludesFile=/dev/null',
  'transfer.fsckObjects=true',
  'receive.autogc=false',
  'receive.advertisePushOptions=false',
  'receive.denyDeleteCurrent=ignore',
  'uploadpack.allowFilter=true',
  'uploadpack.allowAnySHA1InWant=true',
  'gc.autoDetach=false',
  'safe.directory=*',
  'init.defaultBranch=main',
] as const

/** How a git ended. */
export type GitExit = { readonly code: number; readonly stdout: string; readonly stderr: string }

/** Starts git with a clean environment; arguments are never read by a shell. */
export function spawnGit(
  args: readonly string[],
  settings: readonly string[] = [],
  extraEnv: Readonly<Record<string, string>> = {},
): ChildProcessWithoutNullStreams {
  const flags = [...SETTINGS, ...settings].flatMap((setting) => ['-c', setting])
  return spawn('git', [...flags, ...args], { stdio: 'pipe', env: { ...cleanEnvironment(), ...extraEnv } })
}

/** Runs git to its end; output is kept whole, so this is for short answers only. */
export function runGit(
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>
    readonly input?: string
    readonly encoding?: BufferEncoding
  } = {},
): Promise<GitExit> {
  return new Promise((resolve, reject) => {
    const child = spawnGit(args, [], options.env)
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding(options.encoding ?? 'utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-4096)))
    child.once('error', (error) => reject(toldMissing(error)))
    child.once('close', (code) => resolve({ code: code ?? 1, stdout, stderr }))
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
  })
}

/** What git says of a repository or folder, without the space around it. @throws SluiceError GIT_FAILED */
export async function gitText(
  where: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { code, stdout, stderr } = await runGit(['-C', resolve(where), ...args], { env })
  if (code === 0) return stdout.trim()
  const command = args.find((arg) => /^[a-z-]+$/.test(arg) && !arg.startsWith('-')) ?? ''
  throw new SluiceError('GIT_FAILED', `git ${command} in ${where} failed: ${stderr.trim()}`)
}

function cleanEnvironment(): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
  }
}
