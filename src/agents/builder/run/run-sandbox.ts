import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { openCgroups, processesByNamespace } from '../../node/linux/cgroup.ts'
import { createLineCutter } from '../../../lib/frames/line-cutter.ts'
import { runFailure } from './run-failure.ts'
import type { Ids } from '../owner.ts'
import type { MergedNames } from './run-diff.ts'

/** A command to run on a copy of an image's files. */
export type SandboxOptions = {
  /** An empty folder of ours; afterwards `upper` in it holds what changed. */
  readonly folder: string
  /** The image's files, never written. */
  readonly lower: string
  readonly command: readonly string[]
  readonly env: ReadonlyMap<string, string>
  readonly workdir: string
  readonly ids: Ids
  readonly network: 'none' | 'host'
  readonly where: string
  readonly log: (line: string) => void
  readonly signal: AbortSignal | undefined
}

/** Characters; what a step prints without line ends is logged in pieces. */
const LONGEST_LINE = 65_536
const TOOL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Lists the names that show through the overlay, for every folder that the step touched. */
const LIST_MERGED = `
const fs = require('node:fs'), path = require('node:path'), out = {}
const visit = (dir) => {
  out[dir] = fs.readdirSync(path.join('merged', dir))
  for (const entry of fs.readdirSync(path.join('upper', dir), { withFileTypes: true }))
    if (entry.isDirectory()) visit(path.join(dir, entry.name))
}
visit('')
fs.writeFileSync('merged.json', JSON.stringify(out))
`

/**
 * A fixed text, run by `sh` with positional arguments only; no input is ever part of it. The overlay is mounted here; the
 * step runs in a mount namespace of its own, in which the new root is moved over \`/\`, without new privileges and with Docker's capabilities.
 */
const OUTER = `set -eu
cd "$1"; lower=$2 options=$3 node=$4 list=$5 inner=$6 cgroups=$7
shift 7
fail() { echo "sluice: $*" >&2; exit 125; }
old=$IFS; IFS=:
for group in $cgroups; do echo 0 > "$group/cgroup.procs" || fail "cannot enter $group"; done
IFS=$old
# before anything of the machine's own, when it has no memory left
echo 1000 > /proc/self/oom_score_adj
mkdir -p upper work merged
mount -n -t overlay overlay -o "lowerdir=$lower,upperdir=upper,workdir=work,$options" merged || fail "cannot mount an overlay"
status=0
unshare -m -- sh -c "$inner" sluice-run "$@" || status=$?
env -i "$node" -e "$list" || fail "cannot list the result"
umount -n -l merged
rm -rf work
exit $status
`

const INNER = `set -eu
uid=$1 gid=$2 workdir=$3 private=$4 processes=$5
shift 5
fail() { echo "sluice: $*" >&2; exit 125; }
tools=$(command -v setpriv) || fail "setpriv (util-linux) is missing"
env=$(command -v env)
cd merged
for name in dev proc sys; do [ ! -L $name ] || fail "/$name of the image is a symlink"; done
mkdir -p dev proc sys
mount -n -t proc -o nosuid,nodev,noexec proc proc || fail "cannot mount /proc"
[ -z "$processes" ] || echo "$processes" > proc/sys/kernel/pid_max || fail "cannot limit the number of processes"
mount -n -t tmpfs -o nosuid,mode=755,size=65536k tmpfs dev || fail "cannot mount /dev"
for name in null zero full random urandom tty; do
  [ -e /dev/$name ] || continue
  : > dev/$name
  mount -n --bind /dev/$name dev/$name || fail "cannot show /dev/$name"
done
mkdir dev/shm
mount -n -t tmpfs -o nosuid,nodev,noexec,mode=1777,size=65536k tmpfs dev/shm
ln -s /proc/self/fd dev/fd; ln -s /proc/self/fd/0 dev/stdin; ln -s /proc/self/fd/1 dev/stdout; ln -s /proc/self/fd/2 dev/stderr
for name in kcore keys timer_list sysrq-trigger; do [ ! -e proc/$name ] || mount -n --bind /dev/null proc/$name; done
for name in sys bus fs irq; do
  [ -d proc/$name ] || continue
  mount -n --bind proc/$name proc/$name
  mount -n -o remount,bind,ro,nosuid,nodev,noexec proc/$name 2>/dev/null || :
done
if [ "$private" = no ] && [ -e etc/resolv.conf ] && [ ! -L etc/resolv.conf ]; then mount -n --bind /etc/resolv.conf etc/resolv.conf || :; fi
mount -n --move . / || fail "cannot enter the image"
ids=
if [ "$uid" != 0 ] || [ "$gid" != 0 ]; then ids="--setuid=$uid --setgid=$gid"; fi
exec "$env" -i "$tools" --no-new-privs --inh-caps -all \\
  --bounding-set -all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+sys_chroot,+setfcap \\
  -- "$env" -i -- "$@"
`

/**
 * Runs a command in a sandbox of user, mount, process, IPC and (by default) network namespaces, held by the limits that containers have (ADR 208);
 * works as an ordinary user too.
 *
 * @returns the names that show through the overlay, for `readUpper`
 * @throws SluiceError BUILD_RUN when the command fails, or when this machine cannot isolate it (with the way out)
 */
export async function runSandboxed(o: SandboxOptions): Promise<MergedNames> {
  const isRoot = process.getuid?.() === 0
  checkMachine(o.where)
  mkdirSync(join(o.folder, 'upper'), { recursive: true })
  const ids = isRoot ? o.ids : { uid: 0, gid: 0 }
  if (!isRoot && (o.ids.uid !== 0 || o.ids.gid !== 0))
    o.log(
      `note: RUN as user ${o.ids.uid} is carried out as the only user there is (${process.getuid?.()}), as we are not root`,
    )
  let said = ''
  const log = (line: string): void => {
    if (line.trim() !== '') said = line.trim()
    o.log(line)
  }
  const cgroups = openCgroups('builder')
  const group = basename(o.folder)
  const limits = { groups: cgroups.open(group, {}), processes: processesByNamespace(cgroups) }
  const code = await spawnSandbox({ ...o, log }, isRoot, ids, limits).finally(() => cgroups.close(group))
  if (code === 125) throw refused(o.where, 'the sandbox could not be set up (its message stands above)')
  if (code !== 0) throw runFailure({ ...o, code, said })
  const listed = JSON.parse(await readFile(join(o.folder, 'merged.json'), 'utf8')) as Record<string, string[]>
  return new Map(Object.entries(listed))
}

type RunLimits = { readonly groups: readonly string[]; readonly processes: number | undefined }

function spawnSandbox(o: SandboxOptions, isRoot: boolean, ids: Ids, limits: RunLimits): Promise<number> {
  const namespaces = [
    ...(isRoot ? [] : ['-U', '-r']),
    ...(o.network === 'none' ? ['-n'] : []),
    '-m',
    '-p',
    '-i',
    '-u',
    '-f',
  ]
  const setIds = ids.uid === 0 && ids.gid === 0 ? [] : [`--setuid=${ids.uid}`, `--setgid=${ids.gid}`]
  const [unsafe, safe] = splitEnv(o.env)
  const enter = [toolPath('unshare'), '--root=.', `--wd=${o.workdir}`, ...setIds, '--']
  const options = isRoot ? 'index=off,metacopy=off,redirect_dir=off' : 'userxattr'
  const groups = limits.groups.join(':')
  const script = [o.folder, relative(o.folder, o.lower), options, process.execPath, LIST_MERGED, INNER, groups]
  const isPrivate = o.network === 'none' ? 'yes' : 'no'
  const inner = [String(ids.uid), String(ids.gid), o.workdir, isPrivate, String(limits.processes ?? '')]
  const argv = [...namespaces, '--kill-child', '--', 'sh', '-c', OUTER, 'sluice', ...script, ...inner, ...safe]
  const child = spawn('unshare', [...argv, ...enter, ...unsafe, ...o.command], {
    env: { PATH: TOOL_PATH, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const stop = (): void => void child.kill('SIGKILL')
  o.signal?.addEventListener('abort', stop, { once: true })
  for (const stream of [child.stdout, child.stderr]) {
    const lines = createLineCutter(o.log, LONGEST_LINE)
    stream.setEncoding('utf8').on('data', lines.write).on('end', lines.end)
  }
  return new Promise<number>((resolve, reject) => {
    child.on('error', (cause) => reject(refused(o.where, cause.message)))
    child.on('close', (code) => {
      o.signal?.removeEventListener('abort', stop)
      if (o.signal?.aborted)
        reject(o.signal.reason instanceof Error ? o.signal.reason : new Error('the build was cancelled'))
      else resolve(code ?? 137)
    })
  })
}

/** Variables that steer the loader of our own tools are set by the image's own `env`, after the chroot. */
function splitEnv(env: ReadonlyMap<string, string>): readonly [readonly string[], readonly string[]] {
  const lines = [...env].map(([key, value]) => `${key}=${value}`)
  const isUnsafe = (line: string): boolean => /^(LD_|GLIBC_|GCONV_|LOCPATH|NLSPATH|MALLOC_)/.test(line)
  const unsafe = lines.filter(isUnsafe)
  return [unsafe.length === 0 ? [] : ['/usr/bin/env', ...unsafe], lines.filter((line) => !isUnsafe(line))]
}

function toolPath(name: string): string {
  const folder = TOOL_PATH.split(':').find((each) => existsSync(join(each, name)))
  return join(folder ?? '/usr/bin', name)
}

let machine: string | undefined | 'unknown' = 'unknown'

function checkMachine(where: string): void {
  if (machine === 'unknown') machine = whyNot()
  if (machine !== undefined) throw refused(where, machine)
}

function whyNot(): string | undefined {
  if (process.platform !== 'linux') return `RUN needs Linux namespaces, and this is ${process.platform}`
  const env = { PATH: TOOL_PATH }
  const setpriv = spawnSync('setpriv', ['--version'], { env })
  if (setpriv.error) return 'setpriv (util-linux) is not installed'
  const flags = process.getuid?.() === 0 ? ['-m'] : ['-U', '-r', '-m']
  const tried = spawnSync('unshare', [...flags, 'true'], { env, encoding: 'utf8' })
  if (tried.error) return 'unshare (util-linux) is not installed'
  return tried.status === 0 ? undefined : `this machine lets us make no namespaces: ${tried.stderr.trim()}`
}

function refused(where: string, why: string): SluiceError {
  return new SluiceError('BUILD_RUN', `RUN cannot be isolated here: ${why}`, {
    where,
    hint: 'prepare the files in the workflow and COPY them, or build with docker, podman or buildah on this machine',
  })
}
