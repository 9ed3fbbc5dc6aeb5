import type { ToldEvent } from '../../../pipeline/notify/message.ts'
import { parsePostedEvent } from '../../../pipeline/notify/posted-event.ts'
import { type BoundedServer, endEmpty, readCapped, serveBounded } from '../../net/bounded-server.ts'

/** What posted events need. */
export type EventServerTools = {
  /** Labels of the object that an event is about; asked only where an Alert chooses by them. */
  readonly labelsOf: (event: ToldEvent) => Promise<Readonly<Record<string, string>>>
  readonly take: (event: ToldEvent) => void
  readonly nowMs: () => number
  readonly log: (line: string) => void
}

/** The largest event that is read, as in Flux. */
export const LARGEST_EVENT = 3 * 1024 * 1024

/**
 * Listens for the events of other controllers of Flux (helm-controller, a third party's), as notification-controller does: their `--events-addr`.
 *
 * Any path and method is an event; 202 says that it was taken, wanted by an Alert or not. No proof is asked for, as in Flux: listen where only controllers reach.
 * @throws SluiceError PORT_IN_USE
 */
export function listenForEvents(listen: string, tools: EventServerTools): Promise<BoundedServer> {
  return serveBounded(listen, 'event', tools.log, async (request, response) => {
    const body = await readCapped(request, LARGEST_EVENT)
    if (body === undefined) return endEmpty(response, 413)
    const event = parsePostedEvent(body, tools.nowMs())
    if (!event) return endEmpty(response, 400)
    tools.take({ ...event, objectLabels: await tools.labelsOf(event) })
    endEmpty(response, 202)
  })
}
