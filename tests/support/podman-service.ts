import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A podman that serves its API, in a network of its own so that it changes nothing of the machine's. */
export type PodmanService = {
  readonly socket: string
  /** Runs podman on the same store. */
  readonly podman: (...words: readonly string[]) => string
  readonly close: () => void
}

/** Why no podman can be started here; undefined when one can. */
export function whyNoPodman(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux'
  for (const tool of ['podman', 'runc', 'unshare', 'ip'])
    if (!['/usr/bin/', '/usr/sbin/', '/bin/', '/sbin/'].some((folder) => existsSync(folder + tool)))
      return `${tool} is not installed (apt-get install podman runc)`
  return existsSync('/usr/lib/cni/bridge')
    ? undefined
    : 'the network plugins are not installed (containernetworking-plugins)'
}

const SCRIPT = `ip link set lo up
mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns
exec podman "$@"`

/** Starts it; its store is removed when it is closed. */
export async function startPodmanService(): Promise<PodmanService> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-podman-'))
  writeFileSync(
    join(folder, 'containers.conf'),
    '[engine]\ncgroup_manager = "cgroupfs"\nruntime = "runc"\nevents_logger = "file"\n',
  )
  const env = { ...process.env, CONTAINERS_CONF: join(folder, 'containers.conf') }
  const socket = join(folder, 'api.sock')
  const flags = [
    '--root',
    join(folder, 'root'),
    '--runroot',
    join(folder, 'run'),
    '--network-config-dir',
    join(folder, 'net'),
  ]
  const words = [...flags, 'system', 'service', '--time', '0', `unix://${socket}`]
  const child = spawn('unshare', ['-n', '-m', 'sh', '-c', SCRIPT, 'sh', ...words], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let printed = ''
  child.stderr.on('data', (chunk) => (printed = (printed + String(chunk)).slice(-4_000)))
  for (let turn = 0; !(await isUp(socket)); turn++) {
    if (turn > 600 || child.exitCode !== null) throw new Error(`podman does not start: ${printed}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const inside = ['-t', String(child.pid), '-n', '-m', 'podman', ...flags]
  const podman = (...more: readonly string[]): string =>
    execFileSync('nsenter', [...inside, ...more], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  return {
    socket,
    podman,
    close() {
      podman('rm', '--all', '--force', '--time', '0')
      child.kill('SIGTERM')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function isUp(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: '/_ping', headers: { host: 'engine' } }, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
    asked.on('error', () => resolve(false))
    asked.end()
  })
}
