const HEAD = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n'

/** Texts of a resource file that cost a careless reader its stack, its memory or its time. */
export function* hostileFiles(): Generator<readonly [name: string, text: string]> {
  yield ['brackets', `${HEAD}data: ${'['.repeat(100_000)}`]
  yield ['braces', `${HEAD}data: ${'{a: '.repeat(100_000)}`]
  yield [
    'json',
    `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_001)}`,
  ]
  yield ['dashes', `${HEAD}data:\n  ${'- '.repeat(100_000)}a\n`]
  yield ['questions', `${HEAD}data:\n  ${'? '.repeat(100_000)}a\n`]
  yield ['steps', `${HEAD}data:\n${Array.from({ length: 3000 }, (_, i) => `${' '.repeat(i + 2)}a:`).join('\n')}\n`]
  yield ['laughs', HEAD + laughs('[', ']')]
  yield ['merges', HEAD + mergeBomb()]
  yield ['anchors', `${HEAD}data:\n${Array.from({ length: 20_000 }, (_, i) => `  a${i}: &a${i} b`).join('\n')}\n`]
  yield ['aliases', `${HEAD}x: &x [${'a,'.repeat(5000)}]\ndata:\n${'- *x\n'.repeat(5000)}`]
  yield ['scalar', `${HEAD}data:\n  a: ${'word '.repeat(1_000_000)}\n`]
  yield ['quoted', `${HEAD}data:\n  a: "${'word\\n'.repeat(500_000)}"\n`]
  yield ['open-quote', `${HEAD}data:\n  a: "${'word\n  '.repeat(500_000)}`]
  yield ['open-quotes', `${HEAD}data:\n${'  a: "b\n'.repeat(50_000)}`]
  yield ['folded', `${HEAD}data:\n  a: >\n${'    word\n\n      word\n'.repeat(50_000)}`]
  yield ['blank-lines', `${HEAD}data:\n  a: b${'\n'.repeat(2_000_000)}`]
  yield ['spaces', `${HEAD}data:\n  a: b${' '.repeat(2_000_000)}c\n`]
  yield ['comments', `${HEAD}${'# a\n'.repeat(500_000)}`]
  yield ['documents', '---\n'.repeat(100_000)]
  yield ['objects', Array.from({ length: 3000 }, (_, i) => HEAD.replace('name: a', `name: a${i}`)).join('---\n')]
  yield ['keys', `${HEAD}data:\n${Array.from({ length: 50_000 }, (_, i) => `  k${i}: v`).join('\n')}\n`]
  yield ['same-keys', `${HEAD}data:\n${'  k: v\n'.repeat(100_000)}`]
  yield ['items', `${HEAD}data:\n${'- a\n'.repeat(5_000_000)}`]
  yield ['numbers', `${HEAD}data:\n  a: ${'9'.repeat(200_000)}\n  b: 0x${'f'.repeat(200_000)}\n`]
  yield ['lists', `apiVersion: v1\nkind: List\nitems: ${'[{apiVersion: v1, kind: List, items: '.repeat(2000)}`]
  yield ['tabs', `${HEAD}data:\n${'\t'.repeat(1_000_000)}a: b\n`]
  yield ['zero-bytes', `${HEAD}data: ${'\0'.repeat(1000)}`]
  yield ['proto', `${HEAD}__proto__: {polluted: true}\nconstructor: {prototype: {polluted: true}}\n`]
}

function laughs(open: string, close: string): string {
  const lines = [`a0: &a0 ${open}${'x, '.repeat(9)}x${close}`]
  for (let i = 1; i < 12; i++)
    lines.push(
      `a${i}: &a${i} ${open}${Array<string>(9)
        .fill(`*a${i - 1}`)
        .join(', ')}${close}`,
    )
  return lines.join('\n')
}

function mergeBomb(): string {
  const lines = ['m0: &m0 {a: b}']
  for (let i = 1; i < 40; i++) lines.push(`m${i}: &m${i} {<<: [*m${i - 1}, *m${i - 1}], k${i}: *m${i - 1}}`)
  return lines.join('\n')
}
