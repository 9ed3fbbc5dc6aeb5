import type { Command } from './command.ts'

/** A command's name and summary, known without loading it, and how to load it. */
export type CommandEntry = {
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<Command>
}

/** Every command, in the order `sluice --help` lists them. Loaded lazily, so that `sluice version` stays quick. */
export const COMMANDS: readonly CommandEntry[] = [
  { name: 'version', summary: 'Print the version', load: async () => (await import('./version.ts')).version },
]
