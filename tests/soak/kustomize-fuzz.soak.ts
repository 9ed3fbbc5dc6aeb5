// Random trees built by kustomize and by us: bytes, and that both fail with the same text. `SLUICE_FUZZ=20000 SLUICE_FUZZ_FROM=100000`
// say how many trees and from which seed on; every seed makes a tree of each kind.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { batchPeer } from '../kustomize/batch-peer.ts'
import { difference, ours, theirs } from '../kustomize/differential.ts'
import { generateOddTree } from '../kustomize/generate-odd-tree.ts'
import { generateTree, type Files } from '../kustomize/generate-tree.ts'
import { generateWideTree } from '../kustomize/generate-wide-tree.ts'

const count = Number(process.env['SLUICE_FUZZ'] ?? 20_000)
const from = Number(process.env['SLUICE_FUZZ_FROM'] ?? 100_000)
const limitMs = Number(process.env['SLUICE_FUZZ_SECONDS'] ?? 3600) * 1000
const peers = process.env['SLUICE_PEERS'] ?? join(homedir(), '.cache/sluice/peers')
const kustomize = process.env['KUSTOMIZE'] ?? join(peers, 'kustomize')
const inOneProcess = join(peers, 'kustomize-batch')
if (!existsSync(kustomize)) throw new Error(`no kustomize 5.8.1 at ${kustomize} (SLUICE_PEERS, KUSTOMIZE)`)

const KINDS = [generateTree, generateOddTree, generateWideTree] as const
const only = process.env['SLUICE_FUZZ_KIND']
const root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sluice-fuzz-'))
const peer = existsSync(inOneProcess)
  ? batchPeer(inOneProcess, kustomize)
  : { build: (dir: string, files: Files) => theirs(kustomize, dir, files), close: () => {} }
const started = Date.now()
const tally = { builds: 0, succeeded: 0, differences: 0 }
let seed = from
try {
  for (; tally.builds < count && Date.now() - started < limitMs; seed++) {
    for (const generate of KINDS) {
      if (only !== undefined && !generate.name.includes(only)) continue
      const files = generate(seed)
      const original = await peer.build(join(root, 'tree'), files)
      const why = difference(ours(join(root, 'tree'), files), original)
      tally.builds++
      if ('text' in original) tally.succeeded++
      if (why === undefined) continue
      tally.differences++
      console.log(`${generate.name} ${seed}: ${why}`)
    }
  }
} finally {
  peer.close()
  rmSync(root, { recursive: true, force: true })
}
console.log(JSON.stringify({ from, to: seed - 1, ...tally, seconds: Math.round((Date.now() - started) / 1000) }))
if (tally.differences > 0) process.exitCode = 1
