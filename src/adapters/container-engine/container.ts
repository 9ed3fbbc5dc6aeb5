/** A container as the engine has it. */
export type EngineContainer = {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
  readonly isRunning: boolean
  /** Whether what it prints comes without frames. */
  readonly hasTerminal: boolean
  /** Its program, as this machine counts; 0 when it does not run. */
  readonly pid: number
  /** Whether it has run at all. */
  readonly wasStarted: boolean
  readonly exitCode: number
  readonly isOutOfMemory: boolean
  readonly startedAtMs: number
  readonly finishedAtMs: number
  /** Its address in a network, by the network's name. */
  readonly addresses: Readonly<Record<string, string>>
}

type Inspected = {
  readonly Id?: string
  readonly Config?: { readonly Labels?: Readonly<Record<string, string>> | null; readonly Tty?: boolean }
  readonly State?: {
    readonly Running?: boolean
    readonly Pid?: number
    readonly ExitCode?: number
    readonly OOMKilled?: boolean
    readonly StartedAt?: string
    readonly FinishedAt?: string
  }
  readonly NetworkSettings?: {
    readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string }>> | null
  }
}

/** Takes what `GET /containers/ID/json` answers; undefined for anything else. */
export function parseContainer(value: unknown): EngineContainer | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { Id, Config, State, NetworkSettings }: Inspected = value
  if (typeof Id !== 'string' || State === undefined) return undefined
  // both engines write the year 1 for never
  const timeMs = (text = ''): number => Math.max(0, Date.parse(text) || 0)
  const networks = Object.entries(NetworkSettings?.Networks ?? {})
  return {
    id: Id,
    labels: Config?.Labels ?? {},
    isRunning: State.Running === true,
    hasTerminal: Config?.Tty === true,
    pid: State.Pid ?? 0,
    wasStarted: timeMs(State.StartedAt) > 0,
    exitCode: State.ExitCode ?? 0,
    isOutOfMemory: State.OOMKilled === true,
    startedAtMs: timeMs(State.StartedAt),
    finishedAtMs: timeMs(State.FinishedAt),
    addresses: Object.fromEntries(networks.map(([name, { IPAddress = '' }]) => [name, IPAddress])),
  }
}

/** The texts under a name in an answer that is a list, or a single object. */
export function textsOf(value: unknown, name: string): string[] {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value]
  return all.flatMap((one) => {
    const text =
      typeof one === 'object' && one !== null ? Object.entries(one).find(([key]) => key === name)?.[1] : undefined
    return typeof text === 'string' ? [text] : []
  })
}
