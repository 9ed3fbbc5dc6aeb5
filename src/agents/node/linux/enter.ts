/** Words and variables of a program as it is started. */
export type Started = { readonly argv: readonly string[]; readonly env: Readonly<Record<string, string>> }

/** Numbers of user, group and more groups as texts. */
export type Ids = readonly [uid: string, gid: string, groups: string]

const CAPABILITIES = 'chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,sys_chroot,setfcap'

/** A program of `/.sluice`, by its own loader and libraries; `folder` is where that is. */
function shown(folder: string, program: string): readonly string[] {
  const prefix = folder === '/' ? '' : folder
  return [`${prefix}/ld`, '--library-path', folder, `${prefix}/${program}`]
}

/**
 * The words that enter a container's root and become its user, without new privileges and with the capabilities that Docker leaves by default.
 *
 * `/.sluice` holds a loader, its libraries and a few tools, read-only. First it becomes the root of the process, and the container's root its folder: from
 * the moment at which the container's own programs may look into the process they find nothing of the machine by it. `env` sets the program's
 * environment only after the chroot: nothing in it can reach the tools that work before.
 * @param root the container's root, seen from the machine; nothing of the container's may have chosen it
 * @param ids numbers of user, group and more groups (`1,2`); empty where only one id exists or root is meant
 * @param words what `env -i` gets
 */
export function enterWords(root: string, [uid, gid, groups]: Ids, words: readonly string[]): readonly string[] {
  const bounding = ['-all', ...CAPABILITIES.split(',').map((name) => `+${name}`)].join(',')
  // unshare leaves all other groups; only chroot can give some
  const inside =
    groups === ''
      ? [
          ...shown('/', 'unshare'),
          ...['--root=.', '--wd=/', ...(uid === '' ? [] : [`--setuid=${uid}`, `--setgid=${gid}`]), '--'],
        ]
      : [...shown('/', 'chroot'), `--userspec=+${uid || 0}:+${gid || 0}`, `--groups=${groups}`, '.']
  return [
    ...['nsenter', `--root=${root}/.sluice`, `--wd=${root}`, '--'],
    ...[...shown('/', 'setpriv'), '--no-new-privs', '--inh-caps', '-all', '--bounding-set', bounding, '--'],
    ...inside,
    ...[...shown('/.sluice', 'env'), '-i'],
    ...words,
  ]
}

/**
 * Runs words on a terminal of their own, which `script` of util-linux makes: what it reads goes to the terminal, what the terminal shows
 * comes out. It gives a shell one text; that text is fixed, the words are variables.
 *
 * @param owner number of the user who gets the terminal; empty for the one who makes it
 */
export function onTerminal(words: readonly string[], enterScript: string, owner: string): Started {
  const env = Object.fromEntries(words.map((word, index) => [`SLUICE_WORD_${index}`, word]))
  return {
    argv: ['script', '-q', '-e', '-f', '-E', 'always', '-c', 'exec sh "$SLUICE_ENTER"', '/dev/null'],
    env: {
      ...env,
      SHELL: '/bin/sh',
      SLUICE_ENTER: enterScript,
      SLUICE_OWNER: owner,
      SLUICE_WORDS: String(words.length),
    },
  }
}
