import { parseArgs } from 'node:util'
import { createGitToken, isGitTokenName, readGitTokens, revokeGitToken } from '../../state/git-tokens.ts'
import { needStateFolder } from '../../state/state-folder.ts'
import { renderAge } from '../../terminal/age.ts'
import { renderTable } from '../../terminal/table.ts'
import { outputOption, STATE_OPTION, stateDirOf } from '../cluster.ts'
import { type Command, type ExitCode, type Io, usageError } from '../command.ts'
import { noSuch, refuseMore } from '../misread.ts'
import { renderAnswer } from '../output.ts'

export const token: Command = {
  name: 'token',
  summary: 'Create, list and revoke tokens that git push takes as its password, besides the one of access.json',
  usage: `sluice token create <NAME> [--state DIR] [-o table|json|yaml]      prints it, this once
       sluice token list [--state DIR] [-o table|json|yaml]
       sluice token revoke <NAME> [--state DIR]      the next request with it is refused`,
  async run(argv, io) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...STATE_OPTION, ...outputOption('table') },
    })
    const [verb, name] = positionals
    refuseMore(positionals, verb === 'list' ? 1 : 2)
    const stateDir = stateDirOf(values, io)
    if (verb === 'list') return list(stateDir, values.output, io)
    if (verb === undefined) return usageError(io, token, 'create, list or revoke?')
    if (verb !== 'create' && verb !== 'revoke')
      return usageError(io, token, noSuch('verb', verb, ['create', 'list', 'revoke']))
    if (name === undefined) return usageError(io, token, 'which name?')
    if (!isGitTokenName(name))
      return usageError(io, token, `no name: "${name}" (small letters, digits, - and . between them, up to 63)`)
    if (verb === 'create') return create(stateDir, name, values.output, io)
    revokeGitToken(stateDir, name)
    io.out(`revoked token ${name}`)
    return 0
  },
}

function create(stateDir: string, name: string, output: string, io: Io): ExitCode {
  // a form that there is not is told before a token is made
  renderAnswer({}, output, 'table', () => '')
  const made = createGitToken(stateDir, name, new Date().toISOString())
  io.out(renderAnswer({ name, token: made }, output, 'table', () => made))
  io.err('it is not shown again; git push takes it as the password of any user')
  return 0
}

function list(stateDir: string, output: string, io: Io): ExitCode {
  needStateFolder(stateDir)
  const tokens = readGitTokens(stateDir).map(({ name, createdAt }) => ({ name, createdAt }))
  const rows = tokens.map(({ name, createdAt }) => [name, renderAge(createdAt, Date.now())])
  const table = (): string => (rows.length === 0 ? 'no token yet' : renderTable(['NAME', 'AGE'], rows))
  io.out(renderAnswer(tokens, output, 'table', table))
  return 0
}
