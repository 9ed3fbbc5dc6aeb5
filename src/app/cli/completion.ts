import { type Command, usageError } from './command.ts'
import { COMMANDS } from './commands.ts'
import { FLUX_KINDS } from './kind-names.ts'

const KIND_COMMANDS = ['get', 'reconcile', 'suspend', 'resume', 'diff']

export const completion: Command = {
  name: 'completion',
  summary: 'Print the completion script of a shell',
  usage: 'sluice completion bash|zsh|fish      # bash: source <(sluice completion bash)',
  async run(argv, io) {
    const script = SCRIPTS[argv[0] ?? '']
    if (script === undefined) return usageError(io, completion, 'which shell: bash, zsh or fish?')
    io.out(script())
    return 0
  },
}

const kinds = (): string =>
  [...FLUX_KINDS.map((kind) => kind.kind.toLowerCase()), 'pods', 'deployments', 'services', 'events'].join(' ')
const names = (): string => COMMANDS.map((command) => command.name).join(' ')

const SCRIPTS: Readonly<Record<string, () => string>> = {
  bash: () => `_sluice() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  if [ "$COMP_CWORD" = 1 ]; then COMPREPLY=($(compgen -W "${names()}" -- "$word")); return; fi
  case "$before" in ${KIND_COMMANDS.join('|')}) COMPREPLY=($(compgen -W "${kinds()}" -- "$word")) ;; *) COMPREPLY=($(compgen -f -- "$word")) ;; esac
}
complete -F _sluice sluice`,
  zsh: () => `#compdef sluice
_sluice() {
  if (( CURRENT == 2 )); then compadd ${names()}; return; fi
  case "\${words[CURRENT-1]}" in ${KIND_COMMANDS.join('|')}) compadd ${kinds()} ;; *) _files ;; esac
}
compdef _sluice sluice`,
  fish: () =>
    [
      ...COMMANDS.map(
        (command) =>
          `complete -c sluice -n __fish_use_subcommand -f -a ${command.name} -d '${command.summary.replaceAll("'", '')}'`,
      ),
      `complete -c sluice -n '__fish_seen_subcommand_from ${KIND_COMMANDS.join(' ')}' -f -a '${kinds()}'`,
    ].join('\n'),
}
