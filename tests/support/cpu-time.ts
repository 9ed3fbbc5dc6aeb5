/**
 * Seconds of processor time that work without a pause takes in this process: what a test of growth bounds, since wall time is the
 * whole machine's, and the runner's `timeout` cannot end such work.
 */
export function cpuSeconds(work: () => void): number {
  const start = process.cpuUsage().user
  work()
  return (process.cpuUsage().user - start) / 1_000_000
}
