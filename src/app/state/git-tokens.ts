import { createHash } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NamedToken } from '../../embedded/gitd/authorize.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { needFormat } from './format.ts'
import { needStateFolder, readJson, unwritable } from './state-folder.ts'
import { newToken } from './token.ts'

/** A token of Git as it is kept: the hash, never the token. */
export type GitToken = NamedToken & { readonly createdAt: string }

const NAME = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/

/** Whether a token can be called so: as objects of Kubernetes are called, which is safe as the name of a file, too. */
export function isGitTokenName(name: string): boolean {
  return NAME.test(name)
}

/**
 * The tokens of a state folder, by name. Each is a file of its own: commands add and remove them beside a running server without a lock,
 * and a damaged one lets nobody in and takes no other along.
 */
export function readGitTokens(stateDir: string): readonly GitToken[] {
  return namesIn(stateDir).flatMap((name) => {
    const kept = readJson(fileOf(stateDir, name))
    return isKept(kept) ? [{ name, sha256: kept.sha256, createdAt: kept.createdAt }] : []
  })
}

/**
 * Makes a token; only its hash is kept.
 *
 * @returns the token, which nobody can tell again
 * @throws SluiceError NOT_RUNNING when there is no state folder, STATE_NEWER, STATE_UNREADABLE, TOKEN_EXISTS, STATE_UNWRITABLE
 */
export function createGitToken(stateDir: string, name: string, createdAt: string): string {
  needStateFolder(stateDir)
  needFormat(stateDir)
  const token = newToken()
  const sha256 = createHash('sha256').update(token).digest('hex')
  const path = fileOf(stateDir, name)
  const next = join(folderOf(stateDir), `.${name}.${process.pid}`)
  try {
    mkdirSync(folderOf(stateDir), { recursive: true, mode: 0o700 })
    writeFileSync(next, `${JSON.stringify({ sha256, createdAt }, undefined, 2)}\n`, { mode: 0o600, flush: true })
    linkSync(next, path) // whole or not at all, and never over another one
  } catch (error) {
    if (!existsSync(path)) throw unwritable(stateDir, error)
    throw new SluiceError('TOKEN_EXISTS', `there is a token "${name}" already`, {
      where: path,
      hint: `choose another name, or first: sluice token revoke ${name}`,
    })
  } finally {
    rmSync(next, { force: true })
  }
  return token
}

/**
 * Takes a token back: the next request with it is refused.
 *
 * @throws SluiceError NOT_RUNNING when there is no state folder, STATE_NEWER, STATE_UNREADABLE, OBJECT_MISSING, STATE_UNWRITABLE
 */
export function revokeGitToken(stateDir: string, name: string): void {
  needStateFolder(stateDir)
  needFormat(stateDir)
  if (!namesIn(stateDir).includes(name))
    throw new SluiceError('OBJECT_MISSING', `no token "${name}"`, {
      where: folderOf(stateDir),
      hint: 'sluice token list shows them',
    })
  try {
    rmSync(fileOf(stateDir, name), { force: true })
  } catch (error) {
    throw unwritable(stateDir, error)
  }
}

function namesIn(stateDir: string): readonly string[] {
  if (!existsSync(folderOf(stateDir))) return []
  return readdirSync(folderOf(stateDir))
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .filter(isGitTokenName)
    .sort()
}

const SUFFIX = '.json'

function folderOf(stateDir: string): string {
  return join(stateDir, 'git-tokens')
}

function fileOf(stateDir: string, name: string): string {
  return join(folderOf(stateDir), `${name}${SUFFIX}`)
}

function isKept(value: unknown): value is { readonly sha256: string; readonly createdAt: string } {
  if (typeof value !== 'object' || value === null) return false
  if (!('sha256' in value) || !('createdAt' in value)) return false
  return typeof value.sha256 === 'string' && /^[0-9a-f]{64}$/.test(value.sha256) && typeof value.createdAt === 'string'
}
