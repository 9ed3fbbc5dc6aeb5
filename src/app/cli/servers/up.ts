import { basename, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { removeAbandonedScratch } from '../../../machine/scratch.ts'
import { timerMs } from '../../../machine/timers.ts'
import { DRIVERS, type DriverName, isDriver } from '../../driver-names.ts'
import type { Daemon } from '../../daemon.ts'
import type { NotImported } from '../../imported.ts'
import { inspectRepository } from '../../repository.ts'
import type { Verdict } from '../../first-delivery/settled.ts'
import type { Ports } from '../../state/ports.ts'
import { LISTENERS } from '../../state/ports.ts'
import { holdStateFolder } from '../../state/hold-state-folder.ts'
import { STATE_OPTION, stateDirOf, stateWordOf, USUAL_STATE } from '../cluster.ts'
import { type Command, type ExitCode, type Io, usageError } from '../command.ts'
import { parseSeconds, refuseMore } from '../misread.ts'
import { openProgress, type Progress } from './progress.ts'
import { stopped } from './stopped.ts'
import { verdictText } from './verdict-text.ts'
import { shellWord } from '../../terminal/shell-word.ts'
import { versionText } from '../../version-text.ts'

const PORT_OPTIONS = Object.fromEntries(LISTENERS.map((listener) => [`${listener}-port`, { type: 'string' as const }]))

/** One object's change takes some moments to wake the next: a scan its policy, a commit its source. */
const CALM_MS = 300

type UpOptions = {
  readonly state: string
  readonly once: boolean
  readonly node: DriverName
  readonly traps: 'safe' | 'flux'
  readonly timeoutMs: number
}

export const up: Command = {
  name: 'up',
  summary: 'Run everything on this machine, deliver a repository and stay up',
  usage: `sluice up [REPO] [--state DIR] [--once] [--timeout SECONDS] [--node ${DRIVERS.join('|')}] [--cluster NAME | --path DIR] [--traps safe|flux] ${LISTENERS.map((listener) => `[--${listener}-port N]`).join(' ')}`,
  async run(argv, io) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...PORT_OPTIONS,
        ...STATE_OPTION,
        once: { type: 'boolean', default: false },
        timeout: { type: 'string', default: '600' },
        node: { type: 'string', default: 'auto' },
        cluster: { type: 'string' },
        path: { type: 'string' },
        traps: { type: 'string', default: 'safe' },
      },
    })
    const { node, traps } = values
    refuseMore(positionals, 1)
    const timeoutMs = parseSeconds('--timeout', values.timeout)
    if (!isDriver(node)) return usageError(io, up, `no such node driver: ${node}`)
    if (traps !== 'safe' && traps !== 'flux') return usageError(io, up, `no such traps: ${traps}`)
    const ports = portsOf(values)
    if (ports === undefined) return usageError(io, up, 'a port is a number from 0 to 65535')
    const repository = inspectRepository(resolve(io.cwd, positionals[0] ?? '.'), values, Date.now())
    const folder = holdStateFolder(stateDirOf(values, io))
    removeAbandonedScratch()
    tellWhenStopping(io)
    try {
      const { startDaemon } = await import('../../daemon.ts')
      io.out(`sluice ${versionText()}: ${repository.name}, state in ${folder.dir}`)
      const progress = openProgress(io)
      const { log } = progress
      const daemon = await startDaemon({
        folder,
        repository,
        ports,
        node,
        traps,
        log,
        onFact: progress.fact,
        signal: io.signal,
      })
      if (daemon === undefined) return values.once ? 3 : 0
      return await deliver(
        daemon,
        { once: values.once, node, traps, state: stateWordOf(values, io), timeoutMs },
        io,
        progress,
      )
    } finally {
      folder.release()
    }
  },
}

/** At once, as the end may take some seconds. */
function tellWhenStopping({ signal, err }: Io): void {
  const tell = (): void => err('stopping; once more Ctrl-C ends at once, and leaves the pods to the next start')
  if (signal.aborted) tell()
  else signal.addEventListener('abort', tell, { once: true })
}

function portsOf(values: Readonly<Record<string, unknown>>): Partial<Ports> | undefined {
  const asked = LISTENERS.filter((listener) => values[`${listener}-port`] !== undefined)
  const ports = asked.map((listener) => [listener, Number(values[`${listener}-port`])] as const)
  if (ports.some(([, port]) => !Number.isInteger(port) || port < 0 || port > 65535)) return undefined
  return Object.fromEntries(ports)
}

async function deliver(daemon: Daemon, options: UpOptions, io: Io, progress: Progress): Promise<ExitCode> {
  if (daemon.notice !== undefined) io.err(`! ${daemon.notice}`)
  const access = daemon.access()
  io.out(`git ${access.git.url} · page ${access.page.url} · kubeconfig ${access.kube.kubeconfig}`)
  if (daemon.notImported !== undefined) io.err(notImportedText(daemon.notImported, gitUrlOf(daemon, io)))
  const startedMs = Date.now()
  progress.draw(daemon.view, (nowMs) => `delivering · ${Math.round((nowMs - startedMs) / 1000)} s · Ctrl-C stops`)
  const verdict = await firstVerdict(daemon, options, io.signal)
  progress.end()
  if (!io.signal.aborted || options.once) io.out(verdictText(verdict, daemon, Date.now() - startedMs))
  if (options.once || io.signal.aborted) {
    await daemon.close({ stopPods: true })
    const isDelivered = verdict.state === 'healthy' && daemon.notImported === undefined
    return isDelivered || (io.signal.aborted && !options.once) ? 0 : 3
  }
  io.out(nextSteps(daemon, options.state, io))
  await stopped(io.signal)
  await daemon.close({ stopPods: true })
  return 0
}

/** Waits until everything is healthy, or cannot become so, or the time is over. Woken by changes; looks again for what time alone changes. A verdict holds when nothing moved for `CALM_MS`. */
function firstVerdict(daemon: Daemon, { timeoutMs }: UpOptions, signal: AbortSignal): Promise<Verdict> {
  return new Promise((decided) => {
    let finish = (): void => {}
    let calm: NodeJS.Timeout | undefined
    const look = (): void => {
      clearTimeout(calm)
      if (daemon.delivery.verdict().state !== 'busy') calm = setTimeout(() => finish(), CALM_MS)
    }
    const unsubscribe = daemon.delivery.subscribe(() => setImmediate(look))
    const again = setInterval(look, 2 * CALM_MS)
    const over = setTimeout(() => finish(), timerMs(timeoutMs))
    finish = () => {
      unsubscribe()
      clearInterval(again)
      clearTimeout(calm)
      clearTimeout(over)
      decided(daemon.delivery.verdict())
    }
    signal.addEventListener('abort', () => finish())
    if (signal.aborted) finish()
    else look()
  })
}

function nextSteps(daemon: Daemon, state: string, io: Io): string {
  const { git, page, kube } = daemon.access()
  const url = gitUrlOf(daemon, io)
  const folder = git.url.replace(/^.*\//, '').replace(/\.git$/, '')
  const sluice = commandLine(io)
  const where = state === USUAL_STATE ? '' : ` --state ${shellWord(state)}`
  return [
    '',
    'try next:',
    `  open ${page.url}`,
    `  ${sluice} status${where}    # or: history, trace <commit>, run list`,
    `  kubectl --kubeconfig ${shellWord(kube.kubeconfig)} get pods -A`,
    `  git clone ${shellWord(url)} && cd ${shellWord(folder)}    # main is production; git switch develop: staging`,
    `  edit, commit, git pull --rebase && git push    # ${io.isTty ? 'watch it go by here' : `the password is git.token of ${state}/access.json`}`,
    'Ctrl-C stops; the state is kept',
  ].join('\n')
}

/** The token is for people at a terminal, not for logs; scripts read access.json. */
function gitUrlOf(daemon: Daemon, io: Io): string {
  const { git } = daemon.access()
  return io.isTty ? git.url.replace('://', `://git:${git.token}@`) : git.url
}

function notImportedText({ what, remedy }: NotImported, url: string): string {
  return `! ${what}\n  hint: ${remedy(url)}`
}

/** How this very program is called from here. */
function commandLine(io: Io): string {
  const program = process.argv[1] ?? 'sluice'
  return basename(program) === 'sluice' ? 'sluice' : `node ${shellWord(relative(io.cwd, program))}`
}
