import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { basename } from 'node:path'
import type { MemoryMount, Sysctl } from '../driver.ts'
import type { Image } from '../image/store.ts'
import type { Kept } from '../keeper/messages.ts'
import { copyLayers } from './container.ts'
import type { Linux } from './kept.ts'
import { TOOL_ENV } from './launch.ts'

/** What enters the namespaces of a pod; volumes in memory are mounted in its own. */
export function enterSandbox({ pid, meta }: Kept): string[] {
  const hasMounts = typeof meta === 'object' && meta !== null && 'hasMounts' in meta
  return ['nsenter', '-t', String(pid), '-n', '-i', '-u', ...(hasMounts ? ['-m'] : [])]
}

/** The process that holds the namespaces of a pod. @throws SluiceError NODE_DRIVER */
export async function sandboxOf(linux: Linux, uid: string): Promise<Kept> {
  const found = (await linux.launched.keeper.list()).find(({ key, exit }) => key === `sandbox/${uid}` && !exit)
  if (found !== undefined) return found
  throw new SluiceError('NODE_DRIVER', 'the sandbox of the pod is gone', { retry: 'backoff' })
}

/** Mounts a volume in memory, once: what is in it outlives restarts of containers and of the server. @throws SluiceError POD_VOLUME */
export async function mountMemory(linux: Linux, uid: string, { folder, sizeBytes, group }: MemoryMount): Promise<void> {
  const sandbox = await sandboxOf(linux, uid)
  const options = [
    group === undefined || linux.mode.isSingleId ? 'mode=0777' : `mode=2777,gid=${group}`,
    `size=${sizeBytes}`,
  ].join(',')
  const words = ['sh', '-c', 'mountpoint -q "$2" || exec mount -n -t tmpfs -o "$1" tmpfs "$2"', 'sh', options, folder]
  const argv = [...enterSandbox(sandbox), '--', ...words]
  const { code, output } = await linux.launched.keeper.exec({ argv, env: TOOL_ENV, timeoutMs: 10_000 })
  if (code === 0) return
  throw new SluiceError('POD_VOLUME', `a volume in memory cannot be mounted: ${output.trim()}`, { retry: 'backoff' })
}

/** Shows the files of an image in a folder of the pod, once. @throws SluiceError POD_VOLUME */
export async function mountImage(linux: Linux, uid: string, folder: string, { layers }: Image): Promise<void> {
  if (!linux.mode.overlay) return copyLayers(layers, folder)
  const sandbox = await sandboxOf(linux, uid)
  // the folder itself is the lowest layer: an overlay that nobody writes to has two at least
  const lowers = [...layers.map((layer) => basename(layer)), folder].join(':')
  const mount = 'mountpoint -q "$2" || { cd "$3" && exec mount -n -t overlay -o "lowerdir=$1,userxattr" overlay "$2"; }'
  const words = ['sh', '-c', mount, 'sh', lowers, folder, linux.paths.layers]
  const argv = [...enterSandbox(sandbox), '--', ...words]
  const { code, output } = await linux.launched.keeper.exec({ argv, env: TOOL_ENV, timeoutMs: 10_000 })
  if (code === 0) return
  throw new SluiceError('POD_VOLUME', `an image cannot be mounted: ${output.trim()}`, { retry: 'backoff' })
}

/**
 * Finds what is at `inner` of a folder as the pod sees it, or makes a folder there, for whoever may use the other. Each step is entered and looked at
 * before the next: programs of the pod may put links there meanwhile. @throws SluiceError POD_VOLUME
 */
export async function findInner(linux: Linux, uid: string, folder: string, inner: string): Promise<string> {
  const sandbox = await sandboxOf(linux, uid)
  const argv = [...enterSandbox(sandbox), '--', 'sh', '-c', FIND_INNER, 'sh', folder, inner]
  const { code, output } = await linux.launched.keeper.exec({ argv, env: TOOL_ENV, timeoutMs: 10_000 })
  if (code === 0) return output.trimEnd()
  throw new SluiceError('POD_VOLUME', `subPath "${inner}": ${output.trim()}`, { retry: 'backoff' })
}

const FIND_INNER = `set -f
fail() { echo "$1"; exit 1; }
cd -P -- "$1" || exit 1
home=$(pwd -P) mode=$(stat -c %a .) file=
IFS=/
for part in $2; do
  [ -z "$file" ] || fail "$file is no folder"
  [ -e "$part" ] || [ -L "$part" ] || mkdir -m "$mode" -- "$part" 2> /dev/null || fail "there is no $part"
  if [ -d "$part" ]; then
    cd -P -- "$part" || exit 1
    case $(pwd -P)/ in "$home"/*) ;; *) fail "$part is a symlink out of the volume" ;; esac
  elif [ -L "$part" ]; then fail "$part is a symlink"
  else file=$part
  fi
done
echo "$(pwd -P)\${file:+/$file}"
`

/** Sets what the kernel keeps for each pod by itself. @throws SluiceError POD_CONFIG */
export async function setSysctls(linux: Linux, pid: number, sysctls: readonly Sysctl[]): Promise<void> {
  for (const { name, value } of sysctls) {
    const file = `/proc/sys/${name.replaceAll('.', '/')}`
    const words = ['sh', '-c', 'echo "$2" > "$1"', 'sh', file, value]
    const argv = ['nsenter', '-t', String(pid), '-n', '-i', '-u', '--', ...words]
    const { code, output } = await linux.launched.keeper.exec({ argv, env: TOOL_ENV, timeoutMs: 10_000 })
    if (code !== 0) throw new SluiceError('POD_CONFIG', `sysctl ${name} cannot be set: ${output.trim()}`)
  }
}
