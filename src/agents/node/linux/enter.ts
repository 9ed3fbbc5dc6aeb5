import { USUAL_CAPABILITIES } from '../pod/capabilities.ts'

/** Words and variables of a program as it is started. */
export type Started = { readonly argv: readonly string[]; readonly env: Readonly<Record<string, string>> }

/** Numbers of user, group and more groups as texts. */
export type Ids = readonly [uid: string, gid: string, groups: string]

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
 * @param capabilities what its programs may have of root's powers. What the way in needs itself is dropped inside: by then it is no more than the
 *   container's own programs usually are
 */
export function enterWords(
  root: string,
  [uid, gid, groups]: Ids,
  words: readonly string[],
  capabilities: readonly string[] = USUAL_CAPABILITIES,
): readonly string[] {
  const isLess = USUAL_CAPABILITIES.some((name) => !capabilities.includes(name))
  const first = [...new Set([...USUAL_CAPABILITIES, ...capabilities])]
  return [
    ...['nsenter', `--root=${root}/.sluice`, `--wd=${root}`, '--'],
    ...[...shown('/', 'setpriv'), '--no-new-privs', '--inh-caps', '-all', ...bounding(first), '--'],
    ...(isLess ? lessThanUsual([uid, gid, groups], capabilities) : become([uid, gid, groups])),
    ...[...shown('/.sluice', 'env'), '-i'],
    ...words,
  ]
}

function bounding(capabilities: readonly string[]): readonly string[] {
  return ['--bounding-set', ['-all', ...capabilities.map((name) => `+${name}`)].join(',')]
}

/** Into the container's root as somebody; unshare leaves all other groups, only chroot can give some. */
function become([uid, gid, groups]: Ids): readonly string[] {
  if (groups !== '') return [...shown('/', 'chroot'), `--userspec=+${uid || 0}:+${gid || 0}`, `--groups=${groups}`, '.']
  const ids = uid === '' ? [] : [`--setuid=${uid}`, `--setgid=${gid}`]
  return [...shown('/', 'unshare'), '--root=.', '--wd=/', ...ids, '--']
}

/** The same, with powers laid down after that of changing the root was used. */
function lessThanUsual([uid, gid, groups]: Ids, capabilities: readonly string[]): readonly string[] {
  const more = groups === '' ? ['--clear-groups'] : ['--groups', groups]
  const ids = uid === '' && groups === '' ? [] : ['--reuid', uid || '0', '--regid', gid || '0', ...more]
  return [...become(['', '', '']), ...shown('/.sluice', 'setpriv'), ...ids, ...bounding(capabilities), '--']
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
