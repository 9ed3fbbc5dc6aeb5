import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../../../lib/error/code-of.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { removeTree, removeTreeOrTell } from '../../../machine/remove-tree.ts'
import type { Instruction } from '../../../lib/dockerfile/instruction.ts'
import { unsupported, type Build } from '../build-state.ts'
import { addLayer, cacheKey } from '../copy-step.ts'
import { readOwner } from '../owner.ts'
import { readUpper } from './run-diff.ts'
import { runSandboxed } from './run-sandbox.ts'
import { commandOf } from '../settings.ts'
import { envOf, filesKey, treeOf, type Stage } from '../stage.ts'
import type { LayerEntry } from '../layer.ts'
import { type ImageStore, markUsed } from '../store.ts'
import { resolveInTree, type Tree } from '../tree.ts'
import { unpackTree } from '../unpack.ts'

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Carries out RUN in a sandbox; what it changed becomes a layer. */
export async function runStep(build: Build, stage: Stage, step: Instruction): Promise<void> {
  const network = networkOf(build, step)
  const command = shellCommand(build, stage, step)
  const env = envOf(stage)
  for (const [name, value] of stage.args) if (value !== undefined && !env.has(name)) env.set(name, value)
  if (!env.has('PATH')) env.set('PATH', PATH)
  const workdir = stage.config.WorkingDir ?? '/'
  const user = stage.config.User ?? '0'
  const key = cacheKey(['RUN', filesKey(stage), command, [...env], workdir, user, network])
  const { store } = build.o
  const folder = join(store.root, 'run', `${randomBytes(6).toString('hex')}-${process.pid}`)
  const make = async (): Promise<readonly LayerEntry[]> => {
    const where = `${build.file.path}:${step.line}`
    const tree = await treeOf(store, stage)
    if (!step.list) checkShell(build, step, stage, tree)
    const ids = await readOwner(store, tree, user, where)
    const lower = await unpackOnce(store, stage, tree)
    await mkdir(folder, { recursive: true })
    const sandbox = {
      folder,
      lower,
      command,
      env,
      workdir,
      ids,
      network,
      where,
      log: build.log,
      signal: build.o.signal,
    }
    return readUpper(join(folder, 'upper'), tree, await runSandboxed(sandbox))
  }
  await addLayer(build, stage, key, make, { cleanUp: () => removeTreeOrTell(folder, build.log) })
}

function networkOf(build: Build, step: Instruction): 'none' | 'host' {
  for (const [flag, value] of step.flags) {
    if (flag === 'network' && ['default', 'none', 'host'].includes(value)) continue
    if (flag === 'mount')
      throw unsupported(
        build,
        step,
        `RUN --mount=${value}`,
        'COPY what the step needs, or build with docker or buildah',
      )
    throw unsupported(build, step, `RUN --${flag}`, 'write the step without the flag')
  }
  const wanted = step.flags.get('network')
  const allowed = build.o.network ?? 'none'
  if (wanted === 'host' && allowed !== 'host')
    throw unsupported(build, step, 'RUN --network=host', 'allow it with --network=host')
  return wanted === 'none' ? 'none' : allowed
}

function shellCommand(build: Build, stage: Stage, step: Instruction): readonly string[] {
  const [doc, ...more] = step.heredocs
  if (doc === undefined) return commandOf(step, stage)
  if (more.length === 0 && /^<<-?["']?[\w.]+["']?$/.test(step.rest)) {
    if (doc.content.startsWith('#!'))
      throw unsupported(build, step, 'a here document with its own interpreter', 'COPY the script and RUN it')
    return commandOf({ list: undefined, rest: doc.content }, stage)
  }
  const text = [step.rest, ...step.heredocs.map(({ name, content }) => `${content}${name}`)].join('\n')
  return commandOf({ list: undefined, rest: text }, stage)
}

function checkShell(build: Build, step: Instruction, stage: Stage, tree: Tree): void {
  const [shell = '/bin/sh'] = stage.config.Shell ?? []
  if (tree.has(resolveInTree(tree, shell))) return
  throw new SluiceError('BUILD_RUN', `the image has no ${shell} to run "${step.rest.slice(0, 80)}"`, {
    where: `${build.file.path}:${step.line}`,
    hint: 'write the step as a list: RUN ["program", "argument"]',
  })
}

/** The files of a stage on disk, made once for each set of layers. */
async function unpackOnce(store: ImageStore, stage: Stage, tree: Tree): Promise<string> {
  const path = join(store.root, 'layers', createHash('sha256').update(filesKey(stage)).digest('hex').slice(0, 32))
  await markUsed(path)
  if (await readdir(path).catch(() => undefined)) return path
  const temporary = store.content.temporary()
  await unpackTree(store, tree, temporary)
  await utimes(temporary, new Date(), new Date()) // the time of an image's own root says nothing of its use
  await rename(temporary, path).catch(async (error: unknown) => {
    await removeTree(temporary)
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error
  })
  return path
}
