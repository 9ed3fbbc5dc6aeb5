import { describeError, SluiceError } from '../../lib/error/sluice-error.ts'
import type { Clock } from '../../adapters/clock.ts'
import type { RegistryClient } from '../../adapters/registry/client.ts'
import type { Driver, DriverEvents } from './driver.ts'
import { startEngineDriver } from './engine/driver.ts'
import { startLinuxDriver } from './linux/driver.ts'
import { startProcessDriver } from './process/driver.ts'
import { startSimDriver } from './sim-driver.ts'

/** The words of `--driver`. */
export type DriverWord = 'auto' | 'linux' | 'engine' | 'process' | 'sim'

/** A driver, or why there is none. */
export type Chosen = { readonly driver: Driver } | { readonly why: string }

/**
 * Starts the driver that was asked for; `auto` means the real one where it works, and never one that is not real or not isolated.
 *
 * @throws SluiceError NODE_DRIVER when a driver was named and does not work here
 */
export async function chooseDriver(
  o: {
    readonly word: DriverWord
    readonly stateDir: string
    readonly node: string
    readonly registry: RegistryClient
    readonly ownHost: string | undefined
    readonly clock: Clock
  },
  events: DriverEvents,
): Promise<Chosen> {
  switch (o.word) {
    case 'linux':
      return { driver: await startLinuxDriver(o, events) }
    case 'auto':
      try {
        return { driver: await startLinuxDriver(o, events) }
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error
        return { why: `linux: ${describeError(error).replaceAll('\n', ';')}` }
      }
    case 'sim':
      return {
        driver: startSimDriver({
          ...o,
          nowMs: o.clock.nowMs,
          onExit: () => events.onExit({ uid: '', container: '', attempt: 0 }),
        }),
      }
    case 'process':
      return { driver: await startProcessDriver(o, events) }
    case 'engine':
      return { driver: await startEngineDriver(o, events) }
  }
}
