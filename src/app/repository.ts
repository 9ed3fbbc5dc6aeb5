import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { SluiceError } from '../lib/error/sluice-error.ts'

/** The repository that `sluice up` was given: its name on gitd, where it comes from, and the folder that says what is deployed. */
export type Repository = {
  readonly name: string
  readonly origin:
    { readonly fromFolder: string; readonly message: string; readonly atMs: number } | { readonly fromRepo: string }
  /** Relative to the repository, as in a Kustomization's `spec.path`. */
  readonly deployPath: string
}

/**
 * Looks at a folder: a Git repository is taken with its branches and tags, any other folder becomes one commit on `main` and `develop`.
 *
 * What is deployed is `clusters/<the only folder there>`, or the whole repository where there is no `clusters/`.
 * @throws SluiceError REPOSITORY_INVALID when it is no folder, or has several clusters and none was named
 */
export function inspectRepository(path: string, cluster: string | undefined, nowMs: number): Repository {
  if (!existsSync(path) || !statSync(path).isDirectory()) {
    throw new SluiceError('REPOSITORY_INVALID', `${path} is not a folder`, {
      where: path,
      hint: 'name a Git repository or a folder: sluice up PATH',
    })
  }
  const name = basename(path).replace(/\.git$/, '')
  const isGit = existsSync(join(path, '.git')) || (existsSync(join(path, 'HEAD')) && existsSync(join(path, 'objects')))
  const origin = isGit ? { fromRepo: path } : { fromFolder: path, message: `import ${name}`, atMs: nowMs }
  return { name, origin, deployPath: deployPathOf(path, cluster) }
}

function deployPathOf(path: string, cluster: string | undefined): string {
  if (cluster !== undefined) return `./clusters/${cluster}`
  const folder = join(path, 'clusters')
  if (!existsSync(folder)) return './'
  const clusters = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const [only, second] = clusters
  if (only !== undefined && second === undefined) return `./clusters/${only.name}`
  throw new SluiceError('REPOSITORY_INVALID', `clusters/ holds ${clusters.length} clusters`, {
    where: folder,
    hint: `choose one with --cluster ${clusters.map((entry) => entry.name).join('|') || 'NAME'}`,
  })
}
