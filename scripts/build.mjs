// Bundles src/main.ts to dist/sluice.mjs; commands and heavy rooms become lazy chunks. `npm run build`.
import { chmodSync, readFileSync, rmSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = join(import.meta.dirname, '..')

export async function build() {
  const esbuild = await import('esbuild')
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const next = join(root, `dist.next.${process.pid}`)
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: { sluice: 'src/main.ts' },
    outdir: next,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: ['libsql'],
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: false,
    legalComments: 'none',
    loader: { '.gz': 'binary', '.html': 'text', '.css': 'text' },
    define: { SLUICE_VERSION: JSON.stringify(version) },
    banner: {
      js: "import{createRequire as __sluiceRequire}from'node:module';const require=__sluiceRequire(import.meta.url);",
    },
    chunkNames: 'chunks/[name]-[hash]',
    logLevel: 'warning',
  })
  const entry = join(next, 'sluice.mjs')
  const { writeFileSync } = await import('node:fs')
  writeFileSync(entry, `#!/usr/bin/env node\n${readFileSync(entry, 'utf8').replace(/^#!.*\n/, '')}`)
  chmodSync(entry, 0o755)
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  renameSync(next, join(root, 'dist'))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await build()
