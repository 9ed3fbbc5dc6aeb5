import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../error/sluice-error.ts'
import { parseDockerfile } from './parse.ts'

test('a Dockerfile is cut into instructions with their lines', () => {
  const { instructions, escape } = parseDockerfile(
    [
      '# a comment',
      'FROM node:20 AS base',
      'RUN echo one \\',
      '  # in between',
      '',
      '  && echo two',
      'copy --from=base --chown=1:1 a b/',
      'ENTRYPOINT ["node", "x.mjs"]',
      'CMD [not json',
    ].join('\n'),
  )
  assert.equal(escape, '\\')
  assert.deepEqual(
    instructions.map(({ name, line, rest }) => [name, line, rest]),
    [
      ['FROM', 2, 'node:20 AS base'],
      ['RUN', 3, 'echo one   && echo two'],
      ['COPY', 7, 'a b/'],
      ['ENTRYPOINT', 8, '["node", "x.mjs"]'],
      ['CMD', 9, '[not json'],
    ],
  )
  assert.deepEqual(
    [...(instructions[2]?.flags ?? [])],
    [
      ['from', 'base'],
      ['chown', '1:1'],
    ],
  )
  assert.deepEqual(instructions[3]?.list, ['node', 'x.mjs'])
  assert.equal(instructions[4]?.list, undefined)
})

test('here documents belong to their line', () => {
  const { instructions } = parseDockerfile('FROM x\nCOPY <<A <<-"B" /d/\none $x\nA\n\ttwo\n\tB\nUSER 1\n')
  assert.deepEqual(instructions[1]?.heredocs, [
    { name: 'A', content: 'one $x\n', expands: true },
    { name: 'B', content: 'two\n', expands: false },
  ])
  assert.equal(instructions[2]?.line, 7)
})

test('the escape directive changes continuation lines', () => {
  const { instructions } = parseDockerfile('# escape=`\nFROM x\nRUN a `\n b\\\n')
  assert.equal(instructions[1]?.rest, 'a  b\\')
})

const wrong: { it: string; text: string; where: string; want: RegExp }[] = [
  {
    it: 'an unknown instruction',
    text: 'FROM x\n\nCOPPY a b',
    where: 'Dockerfile:3',
    want: /unknown instruction: COPPY/,
  },
  { it: 'an instruction without arguments', text: 'FROM', where: 'Dockerfile:1', want: /at least one argument/ },
  { it: 'an open here document', text: 'FROM x\nRUN <<EOF\na', where: 'Dockerfile:2', want: /EOF has no end/ },
  { it: 'an empty file', text: '# nothing\n', where: 'Dockerfile:1', want: /no instructions/ },
]
for (const { it, text, where, want } of wrong)
  test(`${it} is refused with its line`, () =>
    assert.throws(
      () => parseDockerfile(text),
      (error) => error instanceof SluiceError && error.where === where && want.test(error.message),
    ))
