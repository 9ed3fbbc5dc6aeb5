import type { Dockerfile, Instruction } from '../../lib/dockerfile/instruction.ts'
import { ExpandError, expandWord, expandWords, type Lookup } from '../../lib/dockerfile/expand.ts'
import { syntax } from '../../lib/dockerfile/parse.ts'
import { digestOf } from '../../lib/oci/digest.ts'
import type { ContainerConfig, ImageConfig } from '../../lib/oci/types.ts'
import { readTree, type Layer, type Tree } from './tree.ts'
import type { ImageStore } from './store.ts'

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** One `FROM` with what follows it. */
export type StagePlan = {
  readonly index: number
  readonly name: string | undefined
  readonly from: Instruction
  readonly steps: readonly Instruction[]
}

/** A stage while it is built. */
export type Stage = {
  readonly plan: StagePlan
  readonly architecture: string
  readonly os: string
  readonly config: Writable<ContainerConfig>
  readonly layers: Layer[]
  readonly history: NonNullable<ImageConfig['history']>[number][]
  /** `ARG`s that this stage declared, with their values. */
  readonly args: Map<string, string | undefined>
}

/** Cuts a Dockerfile into the `ARG`s before the first `FROM` and its stages. */
export function planStages(file: Dockerfile): {
  readonly globals: readonly Instruction[]
  readonly stages: readonly StagePlan[]
} {
  const first = file.instructions.findIndex(({ name }) => name === 'FROM')
  const globals = first < 0 ? file.instructions : file.instructions.slice(0, first)
  for (const { name, line } of globals)
    if (name !== 'ARG') throw syntax('no build stage in current context: start with FROM', file.path, line)
  if (first < 0) throw syntax('the file has no FROM', file.path, 1)
  const stages: { index: number; name: string | undefined; from: Instruction; steps: Instruction[] }[] = []
  for (const step of file.instructions.slice(first)) {
    if (step.name !== 'FROM') {
      stages.at(-1)?.steps.push(step)
      continue
    }
    const { name } = splitFrom(step.rest)
    if (name !== undefined && !/^[a-z][a-z0-9_.-]*$/.test(name))
      throw syntax(`invalid name for build stage: "${name}"`, file.path, step.line)
    stages.push({ index: stages.length, name, from: step, steps: [] })
  }
  return { globals, stages }
}

/** What stands behind FROM: the base, and the name of the stage where it has one. */
export function splitFrom(rest: string): { readonly base: string; readonly name: string | undefined } {
  const found = /\sAS\s+(\S+)$/i.exec(rest)
  return found
    ? { base: rest.slice(0, found.index).trimEnd(), name: found[1]?.toLowerCase() }
    : { base: rest, name: undefined }
}

/** Variables as a stage sees them: ENV wins over ARG. */
export function lookupOf(stage: Stage): Lookup {
  return (name) => envOf(stage).get(name) ?? stage.args.get(name)
}

/** The environment of a stage's image. */
export function envOf({ config }: Pick<Stage, 'config'>): Map<string, string> {
  return new Map(
    (config.Env ?? []).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

/** Expands one word of an instruction. @throws SluiceError DOCKERFILE_SYNTAX with the line */
export function expandOne(text: string, lookup: Lookup, file: Dockerfile, line: number): string {
  return explain(file, line, () => expandWord(text, lookup, file.escape))
}

/** Expands the words of an instruction. @throws SluiceError DOCKERFILE_SYNTAX with the line */
export function expandAll(text: string, lookup: Lookup, file: Dockerfile, line: number): string[] {
  return explain(file, line, () => expandWords(text, lookup, file.escape))
}

function explain<T>(file: Dockerfile, line: number, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof ExpandError) throw syntax(error.message, file.path, line)
    throw error
  }
}

/** A digest of the files of a stage: equal layers give equal steps, whatever instructions made them. */
export function filesKey(stage: Stage): string {
  return digestOf(JSON.stringify([stage.os, stage.architecture, ...stage.layers.map(({ diffId }) => diffId)]))
}

const trees = new WeakMap<Stage, { readonly count: number; readonly tree: Tree }>()

/** The files of a stage so far. */
export async function treeOf(store: ImageStore, stage: Stage): Promise<Tree> {
  const known = trees.get(stage)
  if (known?.count === stage.layers.length) return known.tree
  const tree = await readTree(store, stage.layers)
  trees.set(stage, { count: stage.layers.length, tree })
  return tree
}
