// Random trees built by kustomize and by us: bytes, and that both fail with the same text. `SLUICE_FUZZ=20000 SLUICE_FUZZ_FROM=100000`
// say how many trees and from which seed on; every seed makes a tree of each kind. `SLUICE_FUZZ_ANSWERS=folder` keeps what kustomize answers,
// so that the same trees are soon compared again after a change of ours. `SLUICE_FUZZ_SEEDS='rich 9000190,wide 9000387'` compares these alone.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { batchPeer } from '../kustomize/batch-peer.ts'
import { difference, ours, theirs, type Answer } from '../kustomize/differential.ts'
import { keptAnswers } from '../kustomize/kept-answers.ts'
import { generateOddTree } from '../kustomize/generate-odd-tree.ts'
import { generateTree, type Tree } from '../kustomize/generate-tree.ts'
import { generateRichTree } from '../kustomize/generate-rich-tree.ts'
import { generateWideTree } from '../kustomize/generate-wide-tree.ts'

const count = Number(process.env['SLUICE_FUZZ'] ?? 20_000)
const from = Number(process.env['SLUICE_FUZZ_FROM'] ?? 100_000)
const limitMs = Number(process.env['SLUICE_FUZZ_SECONDS'] ?? 3600) * 1000
const peers = process.env['SLUICE_PEERS'] ?? join(homedir(), '.cache/sluice/peers')
const kustomize = process.env['KUSTOMIZE'] ?? join(peers, 'kustomize')
const inOneProcess = join(peers, 'kustomize-batch')
if (!existsSync(kustomize)) throw new Error(`no kustomize 5.8.1 at ${kustomize} (SLUICE_PEERS, KUSTOMIZE)`)

const KINDS = [generateTree, generateOddTree, generateWideTree, generateRichTree] as const
type Choice = { readonly seed: number; readonly generate: (typeof KINDS)[number] }
const named = process.env['SLUICE_FUZZ_SEEDS']?.split(',').map(parseChoice)
const only = process.env['SLUICE_FUZZ_KIND']
const root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sluice-fuzz-'))
const kustomizeItself = existsSync(inOneProcess)
  ? batchPeer(inOneProcess, kustomize)
  : { build: (dir: string, files: Tree) => theirs(kustomize, dir, files), close: () => {} }
const answers = process.env['SLUICE_FUZZ_ANSWERS']
const peer = answers === undefined ? kustomizeItself : keptAnswers(kustomizeItself, answers)
const started = Date.now()
const tally = { builds: 0, succeeded: 0, differences: 0 }
let seed = from

/** A tree that kustomize is at work on, while we are on an earlier one. */
type Asked = { readonly name: string; readonly files: Tree; readonly dir: string; readonly original: Promise<Answer> }
const AHEAD = 4

function* trees(): Generator<Asked> {
  let at = 0
  for (const { seed, generate } of named ?? choices()) {
    if (at >= count || Date.now() - started >= limitMs) return
    const files = generate(seed)
    const dir = join(root, `tree${at++ % (AHEAD + 2)}`)
    yield { name: `${generate.name} ${seed}`, files, dir, original: peer.build(dir, files) }
  }
}

function* choices(): Generator<Choice> {
  for (; ; seed++)
    for (const generate of KINDS) if (only === undefined || generate.name.includes(only)) yield { seed, generate }
}

/** Such as `rich 9000190`; an ordinary tree's kind is `tree`. */
function parseChoice(text: string): Choice {
  const [kind = '', of = ''] = text.trim().split(' ')
  const generate = KINDS.find(({ name }) => name.toLowerCase() === `generate${kind === 'tree' ? '' : kind}tree`)
  if (!generate || !/^[0-9]+$/.test(of)) throw new Error(`"${text}" is no kind and seed, such as "rich 9000190"`)
  return { seed: Number(of), generate }
}

async function compare({ name, files, dir, original }: Asked): Promise<void> {
  const mine = ours(dir, files)
  const theirs = await original
  const why = difference(mine, theirs)
  tally.builds++
  if ('text' in theirs) tally.succeeded++
  if (why === undefined) return
  tally.differences++
  console.log(`${name}: ${why}`)
}

try {
  const asked: Asked[] = []
  for (const tree of trees()) {
    asked.push(tree)
    const [next] = asked
    if (asked.length <= AHEAD || !next) continue
    asked.shift()
    await compare(next)
  }
  for (const rest of asked) await compare(rest)
} finally {
  peer.close()
  rmSync(root, { recursive: true, force: true })
}
console.log(
  JSON.stringify({
    ...(named ? { seeds: named.length } : { from, to: seed - 1 }),
    ...tally,
    seconds: Math.round((Date.now() - started) / 1000),
  }),
)
if (tally.differences > 0) process.exitCode = 1
