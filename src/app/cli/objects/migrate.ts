import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { extname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Command, usageError } from '../command.ts'
import { migrateText } from './migrate-text.ts'

const LARGEST_FILE_BYTES = 10 * 1024 * 1024

export const migrate: Command = {
  name: 'migrate',
  summary: "Write the latest API versions of Flux's kinds into manifests",
  usage: 'sluice migrate -f <path> [--extensions .yaml,.yml] [--dry-run | --yes]',
  async run(argv, io) {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        path: { type: 'string', short: 'f' },
        extensions: { type: 'string', short: 'e', multiple: true, default: ['.yaml,.yml'] },
        'dry-run': { type: 'boolean', default: false },
        yes: { type: 'boolean', short: 'y', default: false },
      },
    })
    if (values.path === undefined)
      return usageError(io, this, 'which manifests? Objects in a cluster need no migration: every version is served')
    if (!values['dry-run'] && !values.yes) return usageError(io, this, 'say --yes to write files, or --dry-run')
    const root = resolve(io.cwd, values.path)
    if (!existsSync(root)) return usageError(io, this, `no such file or folder: ${values.path}`)
    const isKept = (file: string): boolean =>
      values.extensions.flatMap((word) => word.split(',')).includes(extname(file))
    io.err('► starting migration of custom resources')
    const migrated: string[] = []
    for (const file of filesIn(root).filter((path) => path === root || isKept(path))) {
      const shown = file === root ? values.path : relative(root, file)
      if (statSync(file).size > LARGEST_FILE_BYTES) {
        io.err(`✗ ${shown} is left as it is: it has more than ${LARGEST_FILE_BYTES} bytes`)
        continue
      }
      const { text, changes } = migrateText(readFileSync(file, 'utf8'))
      for (const { line, kind, from, to } of changes) io.err(`✚ ${shown}:${line}: ${kind} ${from} -> ${to}`)
      if (changes.length === 0) continue
      migrated.push(shown)
      if (values.yes && !values['dry-run']) writeFileSync(file, text)
    }
    if (migrated.length === 0) io.err('✔ no custom resources found that require migration')
    else if (values['dry-run']) io.err('✔ dry-run mode enabled, no changes will be made')
    else {
      for (const file of migrated) io.err(`✔ file ${file} migrated successfully`)
      io.err('✔ custom resources migrated successfully')
    }
    return 0
  },
}

/** The regular files of a folder, sorted; links are not followed, and `.git` is none of ours. */
function filesIn(path: string): readonly string[] {
  if (statSync(path).isFile()) return [path]
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  return entries.flatMap((entry) => {
    const full = join(path, entry.name)
    if (entry.isFile()) return [full]
    return entry.isDirectory() && entry.name !== '.git' ? filesIn(full) : []
  })
}
