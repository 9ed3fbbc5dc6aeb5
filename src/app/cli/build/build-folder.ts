import { lstatSync, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve, sep } from 'node:path'
import { diskRemote } from '../../../adapters/kustomize/remote.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { renderWithOrigins } from '../../../lib/kustomize/explain/annotate.ts'
import { build, renderBuild, type BuildOptions, type BuildResult } from '../../../lib/kustomize/build.ts'
import type { FieldOrigin } from '../../../lib/kustomize/explain/field-origin.ts'
import type { FileTree } from '../../../lib/kustomize/files/tree.ts'
import { originComment } from './blame-text.ts'
import { goFileError } from './go-file-error.ts'

/** Why a build failed: kustomize's text, then where and what to do, which are ours. */
export type Failure = { readonly error: string; readonly where?: string; readonly hint?: string }

/** A build as a command shows it. */
export type Outcome = { readonly yaml: string; readonly result: BuildResult } | Failure

/**
 * Builds the folder that a person named; links on the way to it are resolved, for only links *inside* a tree are looked at with distrust.
 *
 * Never throws but for a bug: what is wrong with the input is answered.
 */
export function buildFolder(tree: FileTree, cwd: string, dir: string, options: BuildOptions): Outcome {
  try {
    const result = build(tree, namedFolder(cwd, dir), { remote: diskRemote(cacheFolder()), ...options })
    const comment = (found: FieldOrigin): string | undefined => originComment(found, cwd)
    return { yaml: options.origin ? renderWithOrigins(result, comment) : renderBuild(result), result }
  } catch (error) {
    return failureOf(error)
  }
}

/** Where clones of remote bases are kept. */
function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sluice', 'kustomize')
}

/** What a person is told of an error; one that is a bug is thrown on. */
export function failureOf(error: unknown): Failure {
  if (error instanceof SluiceError) {
    const { message, where, hint } = error
    return { error: message, ...(where ? { where } : {}), ...(hint ? { hint } : {}) }
  }
  const text = goFileError(error)
  if (text === undefined) throw error
  return { error: text }
}

/** The failure as the lines of an error message. */
export function describeFailure({ error, where, hint }: Failure): string {
  const lines = [`Error: ${error}`]
  if (where !== undefined) lines.push(`  where: ${where}`)
  if (hint !== undefined) lines.push(`  hint: ${hint}`)
  return lines.join('\n')
}

/** The real path of a folder. @throws SluiceError KUSTOMIZE_PATH with kustomize's text when it is none */
function namedFolder(cwd: string, dir: string): string {
  if (dir === '') throw noDirectory('directory path cannot be empty')
  if (dir.includes('\0')) throw noDirectory(`not a valid directory: ${JSON.stringify(dir)}: invalid argument`)
  const full = resolve(cwd, dir)
  if (statSync(full, { throwIfNoEntry: false }) === undefined)
    throw noDirectory(
      `not a valid directory: evalsymlink failure on '${dir}' : lstat ${firstMissing(full)}: no such file or directory`,
    )
  const real = realpathSync(full)
  if (!statSync(real).isDirectory()) throw noDirectory(`'${dir}': file is not directory`)
  return real
}

function noDirectory(text: string): SluiceError {
  return new SluiceError('KUSTOMIZE_PATH', `must build at directory: ${text}`)
}

function firstMissing(path: string): string {
  const parts = path.split(sep)
  for (let i = 2; i < parts.length; i++) {
    const above = parts.slice(0, i).join(sep)
    if (lstatSync(above, { throwIfNoEntry: false }) === undefined) return above
  }
  return path
}
