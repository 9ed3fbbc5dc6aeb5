import assert from 'node:assert/strict'
import { syncBuiltinESMExports } from 'node:module'
import { test } from 'node:test'
import util, { type ParseArgsConfig } from 'node:util'
import { STATE_OPTION } from './cluster.ts'
import type { Command, Io } from './command.ts'
import { COMMANDS } from './commands.ts'
import { traceObject } from './objects/trace-object.ts'

type Options = NonNullable<ParseArgsConfig['options']>

const io: Io = { out() {}, err() {}, env: {}, cwd: '/', isTty: false, signal: new AbortController().signal }

/** The table that a command hands to `parseArgs`, which all of them ask before they do anything: nothing is done. */
function optionsOf(run: () => Promise<unknown>): Options {
  let options: Options = {}
  const parseArgs = util.parseArgs
  const ask = (config: ParseArgsConfig): never => {
    options = config.options ?? {}
    throw new Error('asked')
  }
  Object.assign(util, { parseArgs: ask })
  syncBuiltinESMExports()
  run().catch(() => undefined)
  Object.assign(util, { parseArgs })
  syncBuiltinESMExports()
  return options
}

/** Every flag that a usage line tells of, as it is written there. */
function toldBy({ usage }: Command): readonly string[] {
  return [...usage.matchAll(/(?<![\w-])--?[a-z][\w-]*/gi)].map(([flag]) => flag)
}

/** `completion` has words alone; the table of `build` is that of kustomize, and its usage says so. */
const withTable = COMMANDS.filter(({ name }) => name !== 'completion' && name !== 'build')
for (const entry of withTable)
  test(`sluice ${entry.name} takes the flags that it tells of, and tells of those that it takes`, async () => {
    const command = await entry.load()
    const options = Object.entries({
      ...optionsOf(() => command.run(entry.name === 'create' ? ['kustomization', 'app'] : [], io)),
      ...(entry.name === 'trace' ? optionsOf(() => traceObject([], io, command)) : {}),
    })
    const told = toldBy(command)
    const spellings = options.map(([name, { short }]) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])])
    assert.ok(options.length > 0)
    // with a default of its own it would not hear of SLUICE_STATE
    for (const [name, option] of options) if (name === 'state') assert.deepEqual(option, STATE_OPTION.state)
    assert.deepEqual(
      told.filter((flag) => !spellings.flat().includes(flag)),
      [],
    )
    // of each kind its own: they are those of flux
    if (entry.name === 'create') return
    assert.deepEqual(
      spellings.filter((ways) => !ways.some((way) => told.includes(way))),
      [],
    )
  })
