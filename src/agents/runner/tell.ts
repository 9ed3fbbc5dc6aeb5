import type { CiEvent } from '../../pipeline/ci/event.ts'
import type { ReportFact } from '../../pipeline/record/fact.ts'
import type { RunRecord } from './records.ts'

/** Reports how far a run is. */
export function tell(report: ReportFact | undefined, run: RunRecord): void {
  void report?.({
    kind: 'run',
    runId: run.id,
    workflow: run.workflow,
    event: eventKind(run.event),
    ref: run.event.ref,
    commit: run.event.commit,
    state: run.state,
    ...(run.cause === undefined ? {} : { cause: run.cause }),
  })
}

function eventKind(event: CiEvent): 'push' | 'pull_request' | 'tag' {
  if (event.name === 'pull_request') return 'pull_request'
  return event.ref.startsWith('refs/tags/') ? 'tag' : 'push'
}
