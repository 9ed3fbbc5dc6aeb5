import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Driver } from './driver.ts'

/**
 * Ends what is left of pods that are gone: deleted while no node looked, or while one was making or ending them.
 *
 * What cannot be ended is told, and tried again at the next start.
 * @param isKnown asked for each when the driver has answered: who has come meanwhile stays
 */
export async function endLeftovers(
  driver: Pick<Driver, 'list' | 'podFolder' | 'removeSandbox'>,
  isKnown: (uid: string) => boolean,
  log: (line: string) => void,
): Promise<void> {
  const tell = (what: string, error: unknown): void =>
    log(`node: what is left of ${what} cannot be ended: ${error instanceof Error ? error.message : String(error)}`)
  const left = await driver.list().catch((error: unknown) => tell('former pods', error))
  if (left === undefined) return
  const folders = await readdir(dirname(driver.podFolder('any'))).catch(() => [])
  const uids = [...left.sandboxes, ...left.containers].map(({ uid }) => uid)
  for (const uid of new Set([...uids, ...folders]))
    if (!isKnown(uid)) await driver.removeSandbox(uid).catch((error: unknown) => tell(`pod ${uid}`, error))
}
