import {
  isBasicExpression,
  isMapping,
  isScalar,
  isSequence,
  NoOperationTraceWriter,
  parseWorkflow,
} from '@actions/workflow-parser'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { isRecord } from '../../lib/value/is-record.ts'
import { own } from '../../lib/value/own.ts'
import { loadOne } from '../../lib/yaml/load.ts'
import {
  entryOf,
  literalList,
  literalText,
  splitText,
  type Place,
  type Template,
  type TemplateEntry,
} from './template.ts'
import { refusalOf } from './workflow-keys.ts'
import type { EventFilter, JobSpec, StepSpec, Workflow } from './workflow.ts'

const LARGEST_BYTES = 512 * 1024

/**
 * Reads a workflow file by GitHub's own parser and schema.
 *
 * @param path as in the repository, `.github/workflows/x.yml`
 * @throws SluiceError WORKFLOW_INVALID with `path:line:column` of the first fault, the others in the message;
 *   also for what is no fault but not done here (`container`, `services`, reusable workflows), by name
 */
export function parseWorkflowFile(path: string, text: string): Workflow {
  if (text.length > LARGEST_BYTES) throw invalid(path, undefined, 'the workflow is larger than 512 KiB')
  const plain = readPlain(path, text)
  const { value, context } = parseWorkflow({ name: path, content: text }, new NoOperationTraceWriter())
  const [first, ...others] = context.errors.getErrors()
  if (first) throw invalid(path, first.range?.start, [first, ...others.slice(0, 9)].map(messageOf).join('\n'))
  if (value === undefined || !isMapping(value)) throw invalid(path, undefined, 'the workflow is empty')
  const root = toTemplate(path, value, plain)
  const jobs = entriesOf(entryOf(root, 'jobs')).map(({ key, value }) =>
    parseJob(path, key, value, entryOf(root, 'permissions')),
  )
  return {
    path,
    name: literalText(entryOf(root, 'name')) ?? path,
    on: parseEvents(entryOf(root, 'on')),
    env: entryOf(root, 'env'),
    defaults: entryOf(root, 'defaults'),
    concurrency: entryOf(root, 'concurrency'),
    jobs: orderJobs(path, jobs),
  }
}

/**
 * The same file by our own reader: it limits what aliases may expand to, which GitHub's parser does not, and keeps block
 * texts that hold expressions as they are, where GitHub's parser keeps their indentation.
 */
function readPlain(path: string, text: string): unknown {
  try {
    const plain = loadOne(text, path)
    const size = /(^|[\s[,{:-])\*[^\s*'"]/m.test(text) ? JSON.stringify(plain ?? null).length : 0
    if (size > 4 * LARGEST_BYTES)
      throw invalid(path, undefined, 'the aliases of the workflow expand to more than 2 MiB')
    return plain
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code === 'WORKFLOW_INVALID') throw error
    throw new SluiceError('WORKFLOW_INVALID', error.message, { where: error.where ?? path, cause: error })
  }
}

/** A token of GitHub's parser; what it is, its guards tell. */
type Token = Parameters<typeof isMapping>[0]

function toTemplate(path: string, token: Token, plain: unknown): Template {
  const at = token.range?.start ?? { line: 1, column: 1 }
  if (isMapping(token)) {
    const entries: TemplateEntry[] = []
    for (let index = 0; index < token.count; index++) {
      const { key, value } = token.get(index)
      if (!isScalar(key) || isBasicExpression(key))
        throw invalid(path, at, 'a key that is an expression is not supported')
      entries.push({ key: key.toString(), value: toTemplate(path, value, fieldOf(plain, key.toString())) })
    }
    return { kind: 'map', entries, at }
  }
  if (isSequence(token)) {
    const items: Template[] = []
    for (let index = 0; index < token.count; index++)
      items.push(toTemplate(path, token.get(index), Array.isArray(plain) ? plain[index] : undefined))
    return { kind: 'list', items, at }
  }
  if (typeof plain === 'string' && plain.includes('${{')) return splitText(plain, at)
  if (isBasicExpression(token)) return { kind: 'expression', text: token.expression, at }
  const value: unknown = 'value' in token ? token.value : null
  const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return { kind: 'literal', value: isPlain ? value : null, at }
}

function fieldOf(plain: unknown, key: string): unknown {
  return isRecord(plain) ? own(plain, key) : undefined
}

function parseEvents(template: Template | undefined): Record<string, EventFilter> {
  if (template?.kind !== 'map') return Object.fromEntries((literalList(template) ?? []).map((name) => [name, {}]))
  return Object.fromEntries(template.entries.map(({ key, value }) => [key, parseFilter(value)]))
}

function parseFilter(template: Template): EventFilter {
  const names = {
    branches: 'branches',
    branchesIgnore: 'branches-ignore',
    tags: 'tags',
    tagsIgnore: 'tags-ignore',
    paths: 'paths',
    pathsIgnore: 'paths-ignore',
    types: 'types',
  }
  const found = Object.entries(names).flatMap(([field, name]) => {
    const list = literalList(entryOf(template, name))
    return list === undefined ? [] : [[field, list] as const]
  })
  return Object.fromEntries(found)
}

function parseJob(path: string, id: string, job: Template, permissions: Template | undefined): JobSpec {
  refuseKeys(path, 'job', `job "${id}"`, job)
  const steps = entryOf(job, 'steps')
  return {
    id,
    name: entryOf(job, 'name'),
    needs: literalList(entryOf(job, 'needs')) ?? [],
    if: entryOf(job, 'if'),
    strategy: entryOf(job, 'strategy'),
    env: entryOf(job, 'env'),
    outputs: entryOf(job, 'outputs'),
    defaults: entryOf(job, 'defaults'),
    timeoutMinutes: entryOf(job, 'timeout-minutes'),
    continueOnError: entryOf(job, 'continue-on-error'),
    concurrency: entryOf(job, 'concurrency'),
    mayPush: mayPush(entryOf(job, 'permissions') ?? permissions),
    steps: steps?.kind === 'list' ? steps.items.map((step) => parseStep(path, step)) : [],
    at: job.at,
  }
}

function refuseKeys(path: string, place: 'job' | 'step', what: string, template: Template): void {
  for (const { key, value } of entriesOf(template)) {
    const why = refusalOf(place, key)
    if (why !== undefined && literalText(value) !== 'false')
      throw invalid(path, value.at, `${what} uses "${key}", which this runner does not do: ${why}`)
  }
}

/** Without `permissions` the token may write, as GitHub's may where nobody said otherwise. */
function mayPush(permissions: Template | undefined): boolean {
  if (permissions === undefined || literalText(permissions) === 'write-all') return true
  return literalText(entryOf(permissions, 'contents')) === 'write'
}

function parseStep(path: string, step: Template): StepSpec {
  refuseKeys(path, 'step', 'a step', step)
  const [run, uses] = [entryOf(step, 'run'), literalText(entryOf(step, 'uses'))]
  if (run === undefined && uses === undefined) throw invalid(path, step.at, 'a step has neither "run" nor "uses"')
  return {
    id: literalText(entryOf(step, 'id')),
    name: entryOf(step, 'name'),
    if: entryOf(step, 'if'),
    run,
    uses,
    with: entryOf(step, 'with'),
    env: entryOf(step, 'env'),
    shell: entryOf(step, 'shell'),
    workingDirectory: entryOf(step, 'working-directory'),
    timeoutMinutes: entryOf(step, 'timeout-minutes'),
    continueOnError: entryOf(step, 'continue-on-error'),
    at: step.at,
  }
}

/** Wave by wave: those that need nobody, then those that need only them, each wave as it stands in the file. */
function orderJobs(path: string, jobs: readonly JobSpec[]): readonly JobSpec[] {
  const waiting = new Map(jobs.map((job) => [job.id, { job, missing: new Set(job.needs).size }]))
  const neededBy = new Map<string, JobSpec[]>(jobs.map(({ id }) => [id, []]))
  for (const job of jobs)
    for (const need of new Set(job.needs)) {
      const others = neededBy.get(need)
      if (others === undefined) throw invalid(path, job.at, `job "${job.id}" needs "${need}", which does not exist`)
      others.push(job)
    }
  const places = new Map(jobs.map((job, index) => [job, index]))
  const ordered: JobSpec[] = []
  for (let wave = jobs.filter(({ needs }) => needs.length === 0); wave.length > 0;) {
    ordered.push(...wave)
    for (const { id } of wave) waiting.delete(id)
    const free = wave.flatMap(({ id }) => neededBy.get(id) ?? []).filter(({ id }) => oneLess(waiting.get(id)))
    wave = free.sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0))
  }
  const [stuck] = waiting.values()
  if (stuck) throw invalid(path, stuck.job.at, `job "${stuck.job.id}" needs itself through its "needs"`)
  return ordered
}

/** Whether the last of what a job needs stands now. */
function oneLess(waiting: { missing: number } | undefined): boolean {
  if (waiting === undefined) return false
  waiting.missing--
  return waiting.missing === 0
}

function entriesOf(template: Template | undefined): readonly TemplateEntry[] {
  return template?.kind === 'map' ? template.entries : []
}

function messageOf({ message }: { readonly message: string }): string {
  return message.replace(/^.*? \(Line: \d+, Col: \d+\): /, '')
}

function invalid(path: string, at: Place | undefined, message: string): SluiceError {
  const where = at === undefined ? path : `${path}:${at.line}:${at.column}`
  return new SluiceError('WORKFLOW_INVALID', message, { where })
}
