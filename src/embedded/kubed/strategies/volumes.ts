import { isObject, type JsonObject, objectOf, stringOf } from '../../../lib/kube/json.ts'
import { timestamp } from '../environment.ts'
import type { Obj } from '../object.ts'

/** A new volume remembers when it came into its phase. In place. */
export function stampPhase(volume: Obj, nowMs: number): void {
  volume.status = { ...objectOf(volume.status), lastPhaseTransitionTime: timestamp(nowMs) }
}

/** When a volume came into its phase is the server's to say. */
export function keepPhaseTime(status: JsonObject, old: JsonObject): void {
  if (status.phase === old.phase) status.lastPhaseTransitionTime ??= old.lastPhaseTransitionTime
}

/** What a claim is filled from has an older and a newer field; they say the same. */
export function nameSourceTwice(spec: JsonObject): void {
  const { dataSource, dataSourceRef } = spec
  if (isObject(dataSource) && dataSourceRef === undefined) {
    spec.dataSourceRef = { ...dataSource }
  } else if (isObject(dataSourceRef) && dataSource === undefined && stringOf(dataSourceRef.namespace) === '') {
    spec.dataSource = { ...dataSourceRef }
  }
}
