import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { difference, ours, theirs } from './differential.ts'
import { generateOddTree } from './generate-odd-tree.ts'
import { generateTree, type Tree } from './generate-tree.ts'
import { generateRichTree } from './generate-rich-tree.ts'
import { generateWideTree } from './generate-wide-tree.ts'

/** Seeds whose trees once gave other bytes than kustomize. */
const PAST = [1, 26, 31, 40, 53, 54, 62, 80, 104, 118, 209, 241, 250, 356, 378, 723, 779, 2000126, 6000168]

/** The same, of the trees with odd YAML and plug-in configurations. */
const PAST_ODD = [
  33, 39, 42, 45, 57, 66, 89, 122, 124, 147, 230, 294, 344, 415, 595, 2010115, 4000002, 5000191, 6000075, 6000550,
  5000969, 7000199, 7100427, 9401330,
]

/** The same, of the trees of many kinds. */
const PAST_WIDE = [
  3, 10, 20, 21, 33, 50, 105, 144, 149, 251, 288, 345, 356, 379, 422, 588, 754, 2000193, 2010127, 2010227, 4000123,
  6000351, 6000455, 6000631, 7300506, 9403062,
]

/** The same, of the trees with directives, odd pointers and odd names. */
const PAST_RICH = [
  0, 1, 2, 6, 16, 18, 57, 60, 63, 73, 87, 99, 103, 117, 7000010, 7000124, 7000164, 7000246, 7000303, 7000466, 7000580,
  7000711, 7000738, 7001171, 7001423, 7001527, 7100294, 7200978, 7201024, 7000262, 7000529, 7000725, 7001302, 7100415,
  7200129, 7300068, 7300729, 8000160, 8000294, 8000351, 8000655, 8000751, 8001245, 9000199, 9000318, 9001180, 9200066,
  9401184, 9402069, 9402300, 9403789,
]

/** `SLUICE_FUZZ=20000 SLUICE_FUZZ_FROM=1000` for a long run. */
const count = Number(process.env['SLUICE_FUZZ'] ?? 40)
const from = Number(process.env['SLUICE_FUZZ_FROM'] ?? 2000)

const kustomize =
  process.env['KUSTOMIZE'] ?? join(process.env['SLUICE_PEERS'] ?? join(homedir(), '.cache/sluice/peers'), 'kustomize')
const skip = existsSync(kustomize) ? false : `no kustomize 5.8.1 at ${kustomize} (SLUICE_PEERS, KUSTOMIZE)`
const root = mkdtempSync(join(tmpdir(), 'sluice-kustomize-'))
after(() => rmSync(root, { recursive: true, force: true }))

async function compare(seed: number, generate: (seed: number) => Tree): Promise<string | undefined> {
  const files = generate(seed)
  const original = await theirs(kustomize, join(root, 'tree'), files)
  const why = difference(ours(join(root, 'tree'), files), original)
  return why && `seed ${seed}: ${why}`
}

const random = Array.from({ length: count }, (_, index) => from + index)

for (const [name, seeds, generate] of [
  ['trees that once differed', PAST, generateTree],
  ['odd trees that once differed', PAST_ODD, generateOddTree],
  ['trees of many kinds that once differed', PAST_WIDE, generateWideTree],
  ['rich trees that once differed', PAST_RICH, generateRichTree],
  [`${count} random trees`, random, generateTree],
  [`${Math.ceil(count / 2)} random odd trees`, random.slice(0, Math.ceil(count / 2)), generateOddTree],
  [`${Math.ceil(count / 2)} random trees of many kinds`, random.slice(0, Math.ceil(count / 2)), generateWideTree],
] as const)
  test(`kustomize: ${name} give the same bytes as the original`, { skip }, async () => {
    const differences: string[] = []
    for (const seed of seeds) {
      const why = await compare(seed, generate)
      if (why !== undefined) differences.push(why)
    }
    assert.deepEqual(differences, [])
  })
