import { Fault } from '../fault.ts'
import type { Store } from './store.ts'

/** What cannot become durable is not begun, and what is not durable is not shown. @throws Fault 503 */
export function refuseWithoutDisk(store: Store): void {
  const fault = store.fault()
  if (fault === undefined) return
  const message = `the state of the server cannot be written (${fault}): free space on its disk`
  throw new Fault(503, 'ServiceUnavailable', message, { retryAfterSeconds: 1 })
}

/** Waits until all that was read may be shown. @throws Fault 503 when the disk refuses some of it */
export async function untilShowable(store: Store): Promise<void> {
  await store.settledOrRefused()
  refuseWithoutDisk(store)
}
