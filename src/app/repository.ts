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
  const isBare = isGit && !existsSync(join(path, '.git'))
  return { name, origin, deployPath: deployPathOf(path, cluster, isBare) }
}

function deployPathOf(path: string, cluster: string | undefined, isBare: boolean): string {
  const folder = join(path, 'clusters')
  if (isBare || !existsSync(folder)) {
    if (cluster === undefined) return './'
    if (isBare) return `./clusters/${cluster}` // a bare repository shows no files
    throw noSuchCluster(cluster, folder, [])
  }
  const clusters = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const [only, second] = clusters
  if (cluster !== undefined && clusters.some(({ name }) => name === cluster)) return `./clusters/${cluster}`
  if (cluster !== undefined)
    throw noSuchCluster(
      cluster,
      folder,
      clusters.map(({ name }) => name),
    )
  if (only !== undefined && second === undefined) return `./clusters/${only.name}`
  throw new SluiceError('REPOSITORY_INVALID', `clusters/ holds ${clusters.length} clusters`, {
    where: folder,
    hint: `choose one with --cluster ${clusters.map((entry) => entry.name).join('|') || 'NAME'}`,
  })
}

function noSuchCluster(cluster: string, folder: string, known: readonly string[]): SluiceError {
  const hint =
    known.length === 0
      ? 'leave --cluster out to deliver the whole repository, or make that folder'
      : `choose one with --cluster ${known.join('|')}`
  return new SluiceError('REPOSITORY_INVALID', `there is no cluster "${cluster}"`, { where: folder, hint })
}
