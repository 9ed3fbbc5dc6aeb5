/** What becomes of a key of GitHub's workflow syntax here. */
export type KeyRule = {
  readonly place: 'workflow' | 'job' | 'step'
  readonly key: string
  /** `ignored`: it means nothing on this runner, and leaving it out changes nothing. */
  readonly rule: 'obeyed' | 'ignored' | 'refused'
  readonly note: string
}

type Row = readonly [key: string, rule: KeyRule['rule'], note: string]

const WORKFLOW: readonly Row[] = [
  ['on', 'obeyed', '`push`, `pull_request` with their filters; other events never happen here'],
  ['name', 'obeyed', ''],
  ['description', 'ignored', 'a text for people'],
  ['run-name', 'ignored', 'runs are shown by workflow, ref and commit'],
  ['defaults', 'obeyed', '`run.shell`, `run.working-directory`'],
  ['env', 'obeyed', ''],
  ['permissions', 'obeyed', '`contents`: without `write` the job gets no token; the others guard what is not here'],
  ['concurrency', 'obeyed', '`group`, `cancel-in-progress`, `queue`; groups are a repository’s'],
  ['jobs', 'obeyed', ''],
]

const JOB: readonly Row[] = [
  ['name', 'ignored', 'jobs are shown by their ids'],
  ['needs', 'obeyed', ''],
  ['if', 'obeyed', ''],
  ['strategy', 'obeyed', '`matrix` with `include` and `exclude`, `fail-fast`, `max-parallel`'],
  ['runs-on', 'ignored', 'every job runs on this machine'],
  ['timeout-minutes', 'obeyed', '360 when absent'],
  ['cancel-timeout-minutes', 'ignored', 'a cancelled job ends at once'],
  ['continue-on-error', 'obeyed', ''],
  ['container', 'refused', 'jobs run on this machine; build the image in a step instead'],
  ['services', 'refused', 'start what a test needs in a step instead'],
  ['env', 'obeyed', ''],
  ['environment', 'ignored', 'there are no protected environments; secrets are the runner’s'],
  ['permissions', 'obeyed', 'as of the workflow, which it replaces'],
  ['concurrency', 'obeyed', 'as of the workflow; each combination of a matrix by itself'],
  ['outputs', 'obeyed', 'not those that hold a secret'],
  ['defaults', 'obeyed', ''],
  ['steps', 'obeyed', ''],
  ['snapshot', 'refused', 'there are no machine images'],
  ['uses', 'refused', 'write the jobs of the reusable workflow into this file instead'],
  ['with', 'refused', 'it belongs to `uses`'],
  ['secrets', 'refused', 'it belongs to `uses`'],
]

const STEP: readonly Row[] = [
  ['name', 'obeyed', ''],
  ['id', 'obeyed', ''],
  ['if', 'obeyed', ''],
  ['run', 'obeyed', ''],
  ['uses', 'obeyed', 'seven actions are built in; any other is refused by name'],
  ['with', 'obeyed', ''],
  ['env', 'obeyed', ''],
  ['shell', 'obeyed', 'those of this machine'],
  ['working-directory', 'obeyed', ''],
  ['timeout-minutes', 'obeyed', ''],
  ['continue-on-error', 'obeyed', ''],
  ['background', 'refused', 'start the process in the step with `&` instead: it ends with the job'],
  ['wait', 'refused', 'there are no background steps'],
  ['wait-all', 'refused', 'there are no background steps'],
  ['cancel', 'refused', 'there are no background steps'],
  ['parallel', 'refused', 'make it several jobs instead'],
]

/** Every key of GitHub's schema at these places; a test holds it against the schema. */
export const WORKFLOW_KEYS: readonly KeyRule[] = (
  [
    ['workflow', WORKFLOW],
    ['job', JOB],
    ['step', STEP],
  ] as const
).flatMap(([place, rows]) => rows.map(([key, rule, note]): KeyRule => ({ place, key, rule, note })))

/** Why a key is not done here; `undefined` when it is, or means nothing. */
export function refusalOf(place: KeyRule['place'], key: string): string | undefined {
  return WORKFLOW_KEYS.find((row) => row.place === place && row.key === key && row.rule === 'refused')?.note
}
