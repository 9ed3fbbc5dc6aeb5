import { type Command, usageError } from './command.ts'
import { COMMANDS } from './commands.ts'
import { completionWords } from './completion-words.ts'
import { own } from '../../lib/value/own.ts'

export const completion: Command = {
  name: 'completion',
  summary: 'Print the completion script of a shell',
  usage: `sluice completion bash|zsh|fish      # bash: source <(sluice completion bash)
       sluice completion words [COMMAND [WORD…]]      what may stand next, a line each; the scripts ask it`,
  async run(argv, io) {
    const [shell = '', ...before] = argv
    if (shell === 'words') {
      io.out((await completionWords(before, io)).join('\n'))
      return 0
    }
    const script = own(SCRIPTS, shell)
    if (script === undefined) return usageError(io, completion, 'which shell: bash, zsh or fish?')
    io.out(script())
    return 0
  },
}

/** Each asks the program itself what may follow, so that flags, services, objects and runs are those of now; files where it knows nothing. */
const SCRIPTS: Readonly<Record<string, () => string>> = {
  bash: () => `_sluice() {
  local word=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=($(compgen -W "$(sluice completion words "\${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)" -- "$word"))
  if [ \${#COMPREPLY[@]} = 0 ]; then COMPREPLY=($(compgen -f -- "$word")); fi
}
complete -F _sluice sluice`,
  zsh: () => `#compdef sluice
_sluice() {
  local -a found
  found=(\${(f)"$(sluice completion words "\${(@)words[2,CURRENT-1]}" 2>/dev/null)"})
  compadd -a found || _files
}
if [ "\${funcstack[1]}" = _sluice ]; then _sluice "$@"; else compdef _sluice sluice; fi`,
  fish: () =>
    [
      ...COMMANDS.map(
        (command) =>
          `complete -c sluice -n __fish_use_subcommand -f -a ${command.name} -d '${command.summary.replaceAll("'", "\\'")}'`,
      ),
      `function __sluice_words
  set -l typed (commandline -opc) (commandline -ct)
  set -l found (sluice completion words $typed[2..-2] 2>/dev/null)
  set -l fitting (string match -- "$typed[-1]*" $found)
  if count $fitting >/dev/null
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end`,
      `complete -c sluice -n 'not __fish_use_subcommand' -f -a '(__sluice_words)'`,
    ].join('\n'),
}
