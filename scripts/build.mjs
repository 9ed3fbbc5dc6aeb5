// Bundles src/main.ts to dist/sluice.mjs; commands and heavy rooms become lazy chunks. `npm run build`.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = join(import.meta.dirname, '..')
const DAY_MS = 86_400_000

/** Gives freed native memory back: without it glibc keeps the holes of the first delivery, 30 MB; threads that compile get heaps of their own (docs/adr/0178). Read only when a process starts; src/app/cli/process-io.ts hides it from children. */
export const MALLOC_ENV = { MALLOC_ARENA_MAX: '16', MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '131072' }

// A Node with NODE_EXTRA_CA_CERTS reads them before anything else, 50 ms for the usual file; a build makes no connection itself, and
// src/app/cli/process-io.ts gives them back to the children that do.
const hideCerts =
  '[ "$NODE_EXTRA_CA_CERTS" ] && export SLUICE_EXTRA_CA_CERTS="$NODE_EXTRA_CA_CERTS" && unset NODE_EXTRA_CA_CERTS'

// A build starts from the script beside this one, if nobody linked to this one from elsewhere: Node loads a script 10 ms sooner than a module.
const startBuild = `[ "$1" = build ] && { ${hideCerts}; [ -f "\${0%/*}/sluice-build.cjs" ] && exec node "\${0%/*}/sluice-build.cjs" "$@"; }`

const malloc = Object.entries(MALLOC_ENV).map(([name, value]) => `${name}=${value}`)

// A shell reads line 2 as a command and never comes to line 3; for Node it is a string and a comment.
// Node alone takes 30 ms and more to start; the launcher knows the version by itself.
const launcher = (version) => {
  const steps = [`[ "$*" = version ] && echo 'sluice ${version}' && exit`, `export ${malloc.join(' ')}`, startBuild]
  return `#!/bin/sh\n':' //; ${steps.join('; ')}; exec node "$0" "$@"\n`
}

const aloneScripts = {
  name: 'alone-scripts',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/(build|servers)-alone\.ts$/ }, ({ kind, path }) =>
      kind === 'dynamic-import'
        ? { path: `./sluice-${/(build|servers)-alone/.exec(path)[1]}.cjs`, external: true }
        : undefined,
    ),
}

export async function build() {
  const esbuild = await import('esbuild')
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const next = join(root, `dist.next.${process.pid}`)
  const shared = {
    absWorkingDir: root,
    outdir: next,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: false,
    legalComments: 'none',
    logLevel: 'warning',
    loader: { '.gz': 'binary', '.html': 'text', '.css': 'text' },
    define: { SLUICE_VERSION: JSON.stringify(version) },
  }
  await esbuild.build({
    ...shared,
    entryPoints: { sluice: 'src/main.ts' },
    splitting: true,
    external: ['libsql'],
    banner: {
      js: "import{createRequire as __sluiceRequire}from'node:module';const require=__sluiceRequire(import.meta.url);",
    },
    chunkNames: 'chunks/[name]-[hash]',
    plugins: [aloneScripts],
  })
  const scripts = [await buildOfBuild(esbuild, shared), await buildOfServers(esbuild, shared)]
  // A library of its own: one file that shares nothing with the command.
  await esbuild.build({ ...shared, entryPoints: { kustomize: 'src/app/kustomize-package.ts' } })
  for (const name of readdirSync(next, { recursive: true })) if (/\.[cm]js$/.test(name)) escapeLetters(join(next, name))
  for (const { name, file } of scripts) cacheCode(name, next, file)
  const entry = join(next, 'sluice.mjs')
  writeFileSync(entry, `${launcher(version)}${readFileSync(entry, 'utf8').replace(/^#!.*\n/, '')}`)
  chmodSync(entry, 0o755)
  publish(next, join(root, 'dist'))
}

/**
 * The command `build`, which takes some milliseconds: loading fifteen chunks, or compiling them, would take as long.
 *
 * One script in which Node's own modules wait until they are used, V8's cache of its functions, and a script that loads both and is the
 * process where the launcher starts it (ADR 0098).
 */
async function buildOfBuild(esbuild, shared) {
  const file = await bundleScript(esbuild, shared, {
    entryPoints: { build: 'src/app/cli/build/build-alone.ts' },
    minifyIdentifiers: true,
  })
  const loading = `import { loadScript, optimiseLate, SLOW_MODULES } from './src/app/cli/load-script.ts'
    import { ioOfProcess } from './src/app/cli/process-io.ts'
    const isCached = !process.argv.some((each) => /^--(batch|watch)/.test(each))
    if (isCached) optimiseLate(require)
    export const { runAlone, script } = loadScript(__dirname + '/chunks/${file}', require, { isCached, late: SLOW_MODULES })
    if (require.main === module) void runAlone(process.argv.slice(2), ioOfProcess()).then((code) => (process.exitCode = code))`
  await bundleLoader(esbuild, shared, 'build', loading)
  return { name: 'build', file }
}

/** The commands that serve the Kubernetes API: half of their start is compiling (ADR 0175). */
async function buildOfServers(esbuild, shared) {
  const file = await bundleScript(esbuild, shared, {
    entryPoints: { servers: 'src/app/cli/servers/servers-alone.ts' },
    external: ['libsql'],
  })
  const loading = `import { loadScript } from './src/app/cli/load-script.ts'
    export const { runAlone, script } = loadScript(__dirname + '/chunks/${file}', require, { isCached: true })`
  await bundleLoader(esbuild, shared, 'servers', loading)
  return { name: 'servers', file }
}

async function bundleScript(esbuild, shared, options) {
  const { metafile } = await esbuild.build({
    ...shared,
    entryNames: 'chunks/[name]-[hash]',
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    banner: { js: '(function(module,exports,require){' },
    footer: { js: '})' },
    metafile: true,
    ...options,
  })
  return basename(Object.keys(metafile.outputs)[0])
}

function bundleLoader(esbuild, shared, name, contents) {
  return esbuild.build({
    ...shared,
    stdin: { contents, resolveDir: root, sourcefile: `sluice-${name}.cjs` },
    format: 'cjs',
    outdir: undefined,
    outExtension: undefined,
    outfile: join(shared.outdir, `sluice-${name}.cjs`),
  })
}

/** Lets a process write V8's cache of a script, for this release of Node alone (src/app/cli/load-script.ts). Without one a command starts later, and works. */
function cacheCode(name, dir, file) {
  const maker = join(root, 'scripts', `code-cache-${name}.mjs`)
  const cache = join(dir, 'chunks', `${file}.${process.version}-${process.arch}.cache`)
  execFileSync(process.execPath, [maker, join(dir, `sluice-${name}.cjs`), cache], { stdio: 'inherit' })
}

/** V8 keeps a source with one letter beyond Latin-1 in two bytes a letter: a μ in a pattern cost 1.3 MiB of memory. */
function escapeLetters(file) {
  const text = readFileSync(file, 'utf8')
  const escaped = text.replace(/[^\0-\x7f]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)
  if (escaped !== text) writeFileSync(file, escaped)
}

/** Writes the declarations of the library to dist/types; for those who compile against it, so only `npm run build` does. */
export async function emitTypes() {
  const { default: ts } = await import('typescript')
  const options = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: join(root, 'src'),
    outDir: join(root, 'dist', 'types'),
  }
  const program = ts.createProgram([join(root, 'src/app/kustomize-package.ts')], options)
  rmSync(options.outDir, { recursive: true, force: true })
  program.emit(undefined, (path, text) => ts.sys.writeFile(path, text.replace(/(from '\.[^']*)\.ts'/g, "$1.js'")))
}

// A sluice that runs from dist/ loads its chunks late: theirs stay for a day, the entry moves last.
function publish(next, dist) {
  mkdirSync(join(dist, 'chunks'), { recursive: true })
  for (const name of readdirSync(join(dist, 'chunks'))) {
    const old = join(dist, 'chunks', name)
    if (Date.now() - statSync(old).mtimeMs > DAY_MS) rmSync(old)
  }
  for (const name of readdirSync(join(next, 'chunks')))
    renameSync(join(next, 'chunks', name), join(dist, 'chunks', name))
  for (const name of ['kustomize.mjs', 'sluice-build.cjs', 'sluice-servers.cjs'])
    renameSync(join(next, name), join(dist, name))
  renameSync(join(next, 'sluice.mjs'), join(dist, 'sluice.mjs'))
  rmSync(next, { recursive: true })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await build()
  await emitTypes()
}
