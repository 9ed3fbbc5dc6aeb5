import type { ServerResponse } from 'node:http'
import type { Environment } from '../environment.ts'
import { family } from './meter.ts'

/** Answers `/metrics`: what was asked, what is kept, and what the process takes. */
export function serveExposition({ meter, registry, store }: Environment, response: ServerResponse): void {
  const kept = new Map(registry.all().map(({ storageKey, group, plural }) => [storageKey, { group, plural }]))
  const objects = [...kept].map(
    ([key, { group, plural }]) =>
      `apiserver_resource_objects{group="${group}",resource="${plural}"} ${store.select(key, { namespace: undefined })?.places.length ?? 0}`,
  )
  const lines = [
    meter.render(),
    ...family('apiserver_resource_objects', 'gauge', 'Objects that are kept, by kind.'),
    ...objects,
    ...processLines(),
    '',
  ]
  sendLines(response, lines)
}

/** Answers `/metrics/slis`: what the checks of the server said, for those who watch how well it serves. */
export function serveSlis({ meter }: Environment, response: ServerResponse): void {
  sendLines(response, [meter.renderChecks(), ''])
}

function sendLines(response: ServerResponse, lines: readonly string[]): void {
  response.writeHead(200, {
    'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    'cache-control': 'no-cache, private',
  })
  response.end(lines.join('\n'))
}

function processLines(): string[] {
  const { userCPUTime, systemCPUTime } = process.resourceUsage()
  return [
    ...family('process_cpu_seconds_total', 'counter', 'Processor time in user and system mode.'),
    `process_cpu_seconds_total ${(userCPUTime + systemCPUTime) / 1e6}`,
    ...family('process_resident_memory_bytes', 'gauge', 'Memory that is resident.'),
    `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
    ...family('process_start_time_seconds', 'gauge', 'When the process began, in seconds since 1970.'),
    `process_start_time_seconds ${(performance.timeOrigin / 1000).toFixed(3)}`,
  ]
}
