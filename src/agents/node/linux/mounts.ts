import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { basename } from 'node:path'
import type { MemoryMount } from '../driver.ts'
import type { Image } from '../image/store.ts'
import { copyLayers } from './container.ts'
import type { Linux } from './kept.ts'
import { TOOL_ENV } from './launch.ts'
import { enterSandbox, sandboxOf } from './sandbox.ts'

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
