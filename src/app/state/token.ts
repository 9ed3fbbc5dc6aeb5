import { randomBytes } from 'node:crypto'
import type { StateFolder } from './state-folder.ts'

/** The token kept in a file of the state folder; 192 random bits, made at the first start. */
export function tokenOf(folder: StateFolder, file: string): string {
  const kept = folder.read(file)
  if (typeof kept === 'object' && kept !== null && 'token' in kept && typeof kept.token === 'string') return kept.token
  const token = newToken()
  folder.write(file, { token })
  return token
}

/** 192 random bits: nobody guesses them, so a plain SHA-256 is enough to keep of them. */
export function newToken(): string {
  return randomBytes(24).toString('base64url')
}
