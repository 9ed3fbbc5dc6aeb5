// Random trees built by kustomize and by us: bytes, and that both fail with the same text. `SLUICE_FUZZ=20000 SLUICE_FUZZ_FROM=100000`
// say how many trees and from which seed on; every seed makes a tree of each kind. `SLUICE_FUZZ_ANSWERS=folder` keeps what kustomize answers,
// so that the same trees are soon compared again after a change of ours. `SLUICE_FUZZ_SEEDS='rich 9000190,wide 9000387'` compares these alone.
// Differences that are known have their reason in kustomize-seeds.json; they and those of the past are built again in front of every run.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
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
const { known: reasons, past } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'kustomize-seeds.json'), 'utf8'),
) as { readonly known: Readonly<Record<string, string>>; readonly past: readonly string[] }
const asked = process.env['SLUICE_FUZZ_SEEDS']?.split(',')
const only = process.env['SLUICE_FUZZ_KIND']
const root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sluice-fuzz-'))
const kustomizeItself = existsSync(inOneProcess)
  ? batchPeer(inOneProcess, kustomize)
  : { build: (dir: string, files: Tree) => theirs(kustomize, dir, files), close: () => {} }
const answers = process.env['SLUICE_FUZZ_ANSWERS']
const peer = answers === undefined ? kustomizeItself : keptAnswers(kustomizeItself, answers)
let to = from
const deadline = Date.now() + limitMs

/** A tree that kustomize is at work on, while we are on an earlier one. */
type Asked = { readonly name: string; readonly files: Tree; readonly dir: string; readonly original: Promise<Answer> }
const AHEAD = 4

/** What became of a run; `named` differences have a reason, `gone` ones do not differ any more. */
type Tally = { builds: number; succeeded: number; differences: string[]; named: string[]; gone: string[] }

function* ask(choices: Iterable<Choice>): Generator<Asked> {
  let at = 0
  for (const choice of choices) {
    const files = choice.generate(choice.seed)
    const dir = join(root, `tree${at++ % (AHEAD + 2)}`)
    yield { name: nameOf(choice), files, dir, original: peer.build(dir, files) }
  }
}

function* range(): Generator<Choice> {
  let at = 0
  for (let seed = from; ; seed++)
    for (const generate of KINDS) {
      if (only !== undefined && !generate.name.includes(only)) continue
      if (at++ >= count || Date.now() >= deadline) return
      to = seed
      yield { seed, generate }
    }
}

function nameOf({ seed, generate }: Choice): string {
  return `${/^generate(.*)Tree$/.exec(generate.name)?.[1]?.toLowerCase() || 'tree'} ${seed}`
}

/** Such as `rich 9000190`; an ordinary tree's kind is `tree`. */
function parseChoice(text: string): Choice {
  const seed = Number(text.trim().split(' ')[1])
  const found = KINDS.map((generate) => ({ seed, generate })).find((choice) => nameOf(choice) === text.trim())
  if (!found) throw new Error(`"${text}" is no kind and seed, such as "rich 9000190"`)
  return found
}

async function compare({ name, files, dir, original }: Asked, tally: Tally): Promise<void> {
  const mine = ours(dir, files)
  const theirs = await original
  const why = difference(mine, theirs)
  tally.builds++
  if ('text' in theirs) tally.succeeded++
  if (why !== undefined) tally[name in reasons ? 'named' : 'differences'].push(name)
  else if (name in reasons) tally.gone.push(name)
  if (why !== undefined && !(name in reasons)) console.log(`${name}: ${why}`)
}

/** Builds the trees one by one, kustomize a few ahead, and tells what became of them. */
async function run(what: () => object, choices: Iterable<Choice>): Promise<void> {
  const started = Date.now()
  const tally: Tally = { builds: 0, succeeded: 0, differences: [], named: [], gone: [] }
  const waiting: Asked[] = []
  for (const tree of ask(choices)) {
    waiting.push(tree)
    const [next] = waiting
    if (waiting.length <= AHEAD || !next) continue
    waiting.shift()
    await compare(next, tally)
  }
  for (const rest of waiting) await compare(rest, tally)
  console.log(JSON.stringify({ ...what(), ...tally, seconds: Math.round((Date.now() - started) / 1000) }))
  if (tally.differences.length > 0) process.exitCode = 1
}

try {
  const seeds = asked ?? [...Object.keys(reasons), ...past]
  await run(() => ({ seeds: asked ? 'asked' : 'known and past' }), seeds.map(parseChoice))
  if (!asked) await run(() => ({ from, to }), range())
} finally {
  peer.close()
  rmSync(root, { recursive: true, force: true })
}
