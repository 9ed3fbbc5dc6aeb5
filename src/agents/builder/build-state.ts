import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Dockerfile, Instruction } from '../../lib/dockerfile/instruction.ts'
import type { RegistryClient } from '../../adapters/registry/client.ts'
import type { Context } from './context.ts'
import type { Stage, StagePlan } from './stage.ts'
import type { ImageStore } from './store.ts'

/** What to build. */
export type BuildOptions = {
  readonly contextDir: string
  /** Path of the Dockerfile, relative to the context; `Dockerfile` by default. */
  readonly dockerfile?: string
  readonly buildArgs?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  /** Names that the image gets in the store. */
  readonly tags?: readonly string[]
  /** Stop after this stage. */
  readonly target?: string
  readonly store: ImageStore
  /** Where base images come from that the store does not have. */
  readonly registry?: RegistryClient
  /** Ask the registry for base images even when the store has them. */
  readonly pull?: boolean
  readonly noCache?: boolean
  /** What RUN steps may reach; `none` by default. */
  readonly network?: 'none' | 'host'
  readonly log?: (line: string) => void
  readonly signal?: AbortSignal
}

/** What the steps of a build share. */
export type Build = {
  readonly o: BuildOptions
  readonly file: Dockerfile
  readonly context: Context
  readonly args: ReadonlyMap<string, string>
  readonly stages: readonly StagePlan[]
  readonly built: Map<number, Stage>
  readonly log: (line: string) => void
  misses: number
}

/** A stage by its name or number; the last of that name. */
export function stageNamed(stages: readonly StagePlan[], name: string): StagePlan | undefined {
  const byName = stages.findLast((stage) => stage.name === name.toLowerCase())
  return byName ?? (/^\d+$/.test(name) ? stages[Number(name)] : undefined)
}

/** The stage that a FROM or --from means, when it stands before; images of the registry are none. */
export function earlierStage(build: Build, name: string, before: number): StagePlan | undefined {
  return stageNamed(build.stages.slice(0, before), name)
}

/** An instruction that this builder does not do. */
export function unsupported(build: Build, step: Instruction, what: string, hint: string): SluiceError {
  const where = `${build.file.path}:${step.line}`
  return new SluiceError('DOCKERFILE_UNSUPPORTED', `${what} is not supported by this builder`, { where, hint })
}
