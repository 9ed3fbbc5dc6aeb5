import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** A real tool to compare with: of the folder of peers (`scripts/peers.sh`), or of the PATH; `undefined` when it is not at hand. */
export function peerTool(name: string): string | undefined {
  const path = join(process.env['SLUICE_PEERS'] ?? join(homedir(), '.cache/sluice/peers'), name)
  if (existsSync(path)) return path
  return spawnSync(name, ['--version']).status === 0 ? name : undefined
}
