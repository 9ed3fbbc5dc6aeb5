import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { packTar } from '../../src/lib/tar/write.ts'

type File = Parameters<typeof packTar>[0][number]

/** Programs of a shell: what `kubectl exec` and `kubectl cp` are tried with. */
const TOOLS = 'sh cat ls tar echo sleep env id head wc dd true false stty tty touch mkdir rm seq sha256sum kill'.split(
  ' ',
)

/** A layer with programs of this machine and their libraries, and a user: an image with a shell that needs no network. */
export function toolLayer(): Buffer {
  const files = new Map<string, Buffer>()
  const links = new Map<string, string>()
  for (const tool of TOOLS) {
    const found = ['/usr/bin/', '/bin/'].map((folder) => folder + tool).find((path) => existsSync(path))
    if (found === undefined) throw new Error(`this machine has no ${tool}`)
    const real = realpathSync(found)
    files.set(real, readFileSync(real))
    if (real !== `/bin/${tool}`) links.set(`/bin/${tool}`, real)
    for (const [, library = ''] of execFileSync('ldd', [real], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g))
      files.set(library, readFileSync(library))
  }
  files.set('/etc/passwd', Buffer.from('root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n'))
  const folders = new Set(['/tmp', '/bin'])
  for (const path of files.keys()) for (let at = dirname(path); at !== '/'; at = dirname(at)) folders.add(at)
  return packTar([
    ...[...folders].sort().map((path): File => ({
      path: path.slice(1),
      type: 'directory',
      mode: path === '/tmp' ? 0o1777 : 0o755,
    })),
    ...[...files].map(([path, content]): File => ({ path: path.slice(1), type: 'file', mode: 0o755, content })),
    ...[...links].map(([path, target]): File => ({ path: path.slice(1), type: 'symlink', linkPath: target })),
  ])
}
