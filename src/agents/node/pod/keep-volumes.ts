import type { NodeContext } from './context.ts'
import type { Pod } from './shapes.ts'
import { type Place, refreshVolumes } from './start-container.ts'

/** How often content from the API is looked at again; a change of the pod itself is shown at once. */
const EVERY_MS = 20_000
const SOON_MS = 200

/** Keeps the volumes of a running pod as the API has their content now: ConfigMaps, Secrets, fields of the pod, tokens. */
export function keepVolumes(
  context: NodeContext,
  running: () => { readonly pod: Pod; readonly place: Place | undefined } | undefined,
): { readonly soon: () => void; readonly stop: () => void } {
  let cancel: () => void = () => undefined
  const refresh = async (): Promise<void> => {
    const now = running()
    if (now === undefined) return
    const { pod, place } = now
    if (place !== undefined && pod.metadata.deletionTimestamp === undefined && isFilled(pod))
      for (const fault of await refreshVolumes(context, pod, place).catch((error: unknown) => [error]))
        context.record(pod, 'Warning', 'FailedMount', fault instanceof Error ? fault.message : String(fault))
    after(EVERY_MS)
  }
  const after = (afterMs: number): void => {
    cancel()
    if (running() !== undefined) cancel = context.clock.after(afterMs, () => void refresh())
  }
  after(EVERY_MS)
  return { soon: () => after(SOON_MS), stop: () => cancel() }
}

/** Whether files of a pod may show something else than before. */
export function showsOther(before: Pod, { metadata }: Pod): boolean {
  const text = ({ labels, annotations }: Pod['metadata']): string => JSON.stringify([labels, annotations])
  return text(before.metadata) !== text(metadata)
}

const isFilled = ({ spec }: Pod): boolean =>
  (spec.volumes ?? []).some((volume) => volume.configMap ?? volume.secret ?? volume.downwardAPI ?? volume.projected)
