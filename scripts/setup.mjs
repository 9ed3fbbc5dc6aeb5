// What `npm start` and `npm test` do first on a clean checkout: dependencies and the bundle, each only when out of date.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  console.error(`sluice needs Node >= 20.19, this is ${process.versions.node}`)
  process.exit(3)
}

/** Runs `npm ci` unless node_modules is of this very lockfile. */
export function ensureDependencies() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const stamp = join(root, 'node_modules', '.sluice-lock')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return
  console.error('setting up: installing dependencies (npm ci)')
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  writeFileSync(stamp, lock)
}

/** Builds dist/ unless it is newer than every source. */
export async function ensureBuild() {
  const out = join(root, 'dist', 'sluice.mjs')
  if (
    existsSync(out) &&
    statSync(out).mtimeMs > newest(join(root, 'src'), join(root, 'package.json'), join(root, 'scripts'))
  )
    return
  console.error('setting up: building dist/sluice.mjs')
  mkdirSync(join(root, 'dist'), { recursive: true })
  const { build } = await import('./build.mjs')
  await build()
}

function newest(...paths) {
  return Math.max(
    ...paths.map((path) => {
      const stat = statSync(path)
      if (!stat.isDirectory()) return stat.mtimeMs
      return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
    }),
  )
}
