import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Peer } from './batch-peer.ts'
import type { Answer } from './differential.ts'
import type { Tree } from './generate-tree.ts'

/**
 * A peer whose answers are kept in a folder, one file for each tree, named by the tree's contents: what kustomize makes of a tree does not
 * change with our code, so a second run over the same trees costs our builds alone. The folder that a tree lies in is not part of what is kept.
 */
export function keptAnswers(peer: Peer, folder: string): Peer {
  mkdirSync(folder, { recursive: true })
  return {
    build: async (root, files) => {
      const file = join(folder, `${digestOf(files)}.json`)
      if (existsSync(file)) return unplaced(JSON.parse(readFileSync(file, 'utf8')) as Answer, root)
      const answer = await peer.build(root, files)
      writeFileSync(file, JSON.stringify(placed(answer, root)))
      return answer
    },
    close: peer.close,
  }
}

const ROOT = '/the/root/of/the/tree'
const PARENT = '/the/folder/around/it'

function placed(answer: Answer, root: string): Answer {
  return renamed(renamed(answer, root, ROOT), dirname(root), PARENT)
}

function unplaced(answer: Answer, root: string): Answer {
  return renamed(renamed(answer, ROOT, root), PARENT, dirname(root))
}

function renamed(answer: Answer, from: string, to: string): Answer {
  if ('text' in answer) return { text: answer.text.replaceAll(from, to) }
  return { error: answer.error.replaceAll(from, to) }
}

function digestOf(files: Tree): string {
  const hash = createHash('sha256')
  for (const [path, content] of files) hash.update(JSON.stringify([path, content.length])).update(content)
  return hash.digest('hex')
}
