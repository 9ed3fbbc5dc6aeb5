import type { RunRecord } from '../../agents/runner/records.ts'

/** `Build web #3 on develop at abc1234`. */
export function describeRun({ workflow, number, event }: RunRecord): string {
  return `${workflow} #${number} on ${branchOf(event.ref)} at ${event.commit.slice(0, 7)}`
}

/** A ref without what says that it is one. */
export function branchOf(ref: string): string {
  return ref.replace(/^refs\/(heads|tags)\//, '')
}
