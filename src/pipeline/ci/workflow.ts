import type { Place, Template } from './template.ts'

/** The filters of one event; absent lists filter nothing. */
export type EventFilter = {
  readonly branches?: readonly string[]
  readonly branchesIgnore?: readonly string[]
  readonly tags?: readonly string[]
  readonly tagsIgnore?: readonly string[]
  readonly paths?: readonly string[]
  readonly pathsIgnore?: readonly string[]
  readonly types?: readonly string[]
}

/** A step: exactly one of `run` and `uses`. */
export type StepSpec = {
  readonly id: string | undefined
  readonly name: Template | undefined
  readonly if: Template | undefined
  readonly run: Template | undefined
  readonly uses: string | undefined
  readonly with: Template | undefined
  readonly env: Template | undefined
  readonly shell: Template | undefined
  readonly workingDirectory: Template | undefined
  readonly timeoutMinutes: Template | undefined
  readonly continueOnError: Template | undefined
  readonly at: Place
}

/** A job as written. */
export type JobSpec = {
  readonly id: string
  readonly name: Template | undefined
  readonly needs: readonly string[]
  readonly if: Template | undefined
  readonly strategy: Template | undefined
  readonly env: Template | undefined
  readonly outputs: Template | undefined
  readonly defaults: Template | undefined
  readonly timeoutMinutes: Template | undefined
  readonly continueOnError: Template | undefined
  readonly concurrency: Template | undefined
  /** Whether `permissions` let the job's token write to Git. */
  readonly mayPush: boolean
  readonly steps: readonly StepSpec[]
  readonly at: Place
}

/** A workflow file, checked by GitHub's own schema. */
export type Workflow = {
  readonly path: string
  readonly name: string
  /** Event names with their filters. */
  readonly on: Readonly<Record<string, EventFilter>>
  readonly env: Template | undefined
  readonly defaults: Template | undefined
  readonly concurrency: Template | undefined
  /** In an order in which each job stands after those it needs. */
  readonly jobs: readonly JobSpec[]
}
