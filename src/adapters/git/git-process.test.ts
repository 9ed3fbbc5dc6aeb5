import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runGit as runOfGitd } from '../../embedded/gitd/git.ts'
import { runGit } from './git-process.ts'

test('a machine without git is told so', async () => {
  const { PATH = '' } = process.env
  process.env['PATH'] = '/nowhere'
  try {
    const want = { code: 'GIT_MISSING', hint: /install git/, where: 'PATH=/nowhere' }
    await assert.rejects(runGit('.', ['version']), want)
    await assert.rejects(runOfGitd(['version']), want)
  } finally {
    process.env['PATH'] = PATH
  }
})
