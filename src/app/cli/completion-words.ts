import { readRuns } from '../../agents/runner/records.ts'
import type { PageView } from '../page-view.ts'
import { isFolder } from '../../machine/make-folder.ts'
import { readGitTokens } from '../state/git-tokens.ts'
import { stateDirOf, withCluster } from './cluster.ts'
import type { Io } from './command.ts'
import { COMMANDS } from './commands.ts'
import { findKind, FLUX_KINDS } from './objects/kind-names.ts'
import { fetchRecord } from './deliveries/page-client.ts'
import { runsFolder } from './deliveries/runs.ts'

const OF_KINDS = ['get', 'reconcile', 'suspend', 'resume', 'diff', 'export', 'delete', 'trace']
const OF_SERVICES = ['logs', 'history', 'trace']
const OTHER_KINDS = ['pods', 'deployments', 'services', 'events']
const MOST_RUNS = 20

/**
 * What may stand behind these words of a command line: commands, then the kinds, services, runs and objects that there are, and flags.
 *
 * Never throws: who completes a word wants no error, and fewer words where nothing runs.
 */
export async function completionWords(before: readonly string[], io: Io): Promise<readonly string[]> {
  const [name, ...rest] = before
  if (name === undefined) return COMMANDS.map((command) => command.name)
  const command = await COMMANDS.find((one) => one.name === name)?.load()
  if (command === undefined) return []
  const flags = [...new Set(command.usage.match(/--[a-z][a-z-]*/g) ?? [])]
  const words = rest.filter((word, index) => !word.startsWith('-') && !takesValue(rest[index - 1]))
  const values = { state: valueOf(rest, '--state'), kubeconfig: valueOf(rest, '--kubeconfig') }
  return [...(await namesFor(name, words, values, io)), ...flags]
}

type Values = { readonly state: string | undefined; readonly kubeconfig: string | undefined }

async function namesFor(name: string, words: readonly string[], values: Values, io: Io): Promise<readonly string[]> {
  const [first] = words
  if (name === 'run' && first === undefined) return ['list', 'view', 'watch', 'cancel']
  if (name === 'run' && words.length === 1 && first !== 'list') return runsOf(values, io)
  if (name === 'token' && first === undefined) return ['create', 'list', 'revoke']
  if (name === 'token' && first === 'revoke' && words.length === 1)
    return readGitTokens(stateDirOf(values, io)).map((token) => token.name)
  if (name === 'cancel' && first === undefined) return runsOf(values, io)
  if (first === undefined) {
    const services = OF_SERVICES.includes(name) ? await servicesOf(values, io) : []
    const runs = name === 'logs' ? runsOf(values, io).map((id) => `run/${id}`) : []
    const kinds = OF_KINDS.includes(name) ? [...FLUX_KINDS.map(({ kind }) => kind.toLowerCase()), ...OTHER_KINDS] : []
    return [...services, ...runs, ...kinds]
  }
  return OF_KINDS.includes(name) && words.length === 1 ? objectsOf(first, values, io) : []
}

/** The newest first. */
function runsOf(values: Values, io: Io): readonly string[] {
  const stateDir = stateDirOf(values, io)
  if (!isFolder(stateDir)) return []
  return readRuns(runsFolder(stateDir))
    .map(({ id }) => id)
    .reverse()
    .slice(0, MOST_RUNS)
}

function servicesOf(values: Values, io: Io): Promise<readonly string[]> {
  return fetchRecord<PageView>('api/v1/status', values, io).then(
    ({ services }) => services.map(({ name }) => name),
    () => [],
  )
}

async function objectsOf(kind: string, values: Values, io: Io): Promise<readonly string[]> {
  const names = new Set<string>()
  await withCluster(values, io, async (client) => {
    const { items } = await client.list(await findKind(client, kind))
    for (const { metadata } of items) names.add(metadata.name)
    return 0
  }).catch(() => undefined)
  return [...names]
}

function takesValue(word: string | undefined): boolean {
  return word === '--state' || word === '--kubeconfig' || word === '-n' || word === '--namespace' || word === '-o'
}

function valueOf(words: readonly string[], option: string): string | undefined {
  const at = words.findIndex((word) => word === option || word.startsWith(`${option}=`))
  const word = words[at]
  return word === option ? words[at + 1] : word?.slice(option.length + 1)
}
