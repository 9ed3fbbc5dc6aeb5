import type { CiEvent } from './event.ts'
import type { Json } from './template.ts'

/** What names a run besides its event. */
export type RunFacts = {
  readonly runId: string
  readonly runNumber: number
  readonly attempt: number
  readonly repository: string
  readonly workflow: string
  readonly workflowPath: string
  readonly serverUrl: string
  readonly token: string
}

/** Where a job works. */
export type JobPlace = {
  readonly id: string
  readonly workspace: string
  readonly temp: string
  readonly os: string
  readonly arch: string
}

/** The `github` context of a job. */
export function githubContext(event: CiEvent, run: RunFacts, job: JobPlace): Record<string, Json> {
  const owner = run.repository.includes('/') ? run.repository.slice(0, run.repository.lastIndexOf('/')) : 'sluice'
  const refName = event.ref.replace(/^refs\/(heads|tags|pull)\//, '')
  return {
    actor: event.actor,
    triggering_actor: event.actor,
    base_ref: event.baseBranch ?? '',
    head_ref: event.name === 'pull_request' ? `pull-${event.pull ?? 0}` : '',
    event_name: event.name,
    event: eventPayload(event, run.repository),
    job: job.id,
    ref: event.ref,
    ref_name: refName,
    ref_type: event.ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    ref_protected: false,
    repository: run.repository.includes('/') ? run.repository : `${owner}/${run.repository}`,
    repository_owner: owner,
    run_id: run.runId,
    run_number: String(run.runNumber),
    run_attempt: String(run.attempt),
    server_url: run.serverUrl,
    api_url: `${run.serverUrl}/api`,
    graphql_url: `${run.serverUrl}/graphql`,
    sha: event.commit,
    token: run.token,
    workflow: run.workflow,
    workflow_ref: `${run.repository}/${run.workflowPath}@${event.ref}`,
    workflow_sha: event.commit,
    workspace: job.workspace,
  }
}

function eventPayload(event: CiEvent, repository: string): Json {
  const common = {
    repository: { name: repository, full_name: repository, default_branch: 'main' },
    sender: { login: event.actor },
  }
  if (event.name === 'push')
    return {
      ...common,
      ref: event.ref,
      before: event.before,
      after: event.commit,
      pusher: { name: event.actor },
      head_commit: { id: event.commit, message: event.message },
    }
  return {
    ...common,
    action: event.action ?? 'opened',
    number: event.pull ?? 0,
    pull_request: {
      number: event.pull ?? 0,
      head: { sha: event.commit, ref: `pull-${event.pull ?? 0}` },
      base: { ref: event.baseBranch ?? '', sha: event.before },
    },
  }
}

/** The variables that every step finds; the secrets among them are none. */
export function stepVariables(github: Readonly<Record<string, Json>>, job: JobPlace): Record<string, string> {
  const hidden = new Set(['event', 'token', 'job'])
  const named = Object.entries(github).flatMap(([name, value]) =>
    hidden.has(name) || typeof value === 'object' ? [] : [[`GITHUB_${name.toUpperCase()}`, String(value)] as const],
  )
  return {
    ...Object.fromEntries(named),
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_JOB: job.id,
    RUNNER_OS: job.os,
    RUNNER_ARCH: job.arch,
    RUNNER_NAME: 'sluice',
    RUNNER_TEMP: job.temp,
    RUNNER_TOOL_CACHE: `${job.temp}/tools`,
    RUNNER_ENVIRONMENT: 'self-hosted',
  }
}
