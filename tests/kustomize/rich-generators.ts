import type { Rich } from './rich-fields.ts'

/** A kustomization file on its way. */
export type Kustomization = Record<string, unknown>

/** Adds an entry to a list of a kustomization file. */
export const push = (k: Kustomization, field: string, value: unknown): void => {
  const known = k[field]
  k[field] = [...(Array.isArray(known) ? known : []), value]
}

/** What `generatorOptions` and `options` may be. */
export const GENERATOR_OPTIONS = [
  { disableNameSuffixHash: true },
  { labels: { g: '1' }, annotations: { h: 'x' } },
  { immutable: true },
  { disableNameSuffixHash: false, immutable: false },
]

const ENVS = [
  'A=1\nB=two words\n',
  '\ufeffA=1\n\n# comment\n  # indented\nB="quoted"\nC=\'single\'\n',
  'A=1\r\nB=2\r\n',
  'export A=1\nB=a=b=c\n',
  'A=$B\nB=${A}\nC=x # not a comment\n',
  '\tTAB=1\n A.b-c_d=2\n',
  '',
  '\n\n',
]
const ODD_ENVS = [
  'A\n',
  '=x\n',
  ' \n',
  'A B=1\n',
  '1A=2\n',
  'A =1\n',
  'A=1\nA=2\n',
  'ü=1\n',
  'A=\u0001\n',
  '#only\n',
  'A=1',
]
const CONTENTS: readonly (string | Uint8Array)[] = [
  'text',
  'line\n',
  'two\nlines\n\n',
  '  lead\ntrail  \n',
  'a: b\n- c\n',
  'tab\there\n',
  'x'.repeat(200),
  `${'word '.repeat(40)}\n`,
  '\r\nwin\r\n',
  '"quoted"',
  '',
  new Uint8Array([0, 1, 2, 255]),
  new Uint8Array([0xff, 0xfe, 0x41, 0]),
  new Uint8Array(Array.from({ length: 120 }, (_, i) => 255 - i)),
  'é😀\u2028\u0085x\n',
  '\ufefftext\n',
]
const LITERALS = [
  'a=1',
  'b=x y',
  "c='q'",
  'd="q"',
  'e="half',
  'f=',
  'g=a=b',
  'h.i-j_k=1',
  'long=' + 'word '.repeat(30),
  'm=a\nb',
  'n= lead',
  'o=true',
]
const ODD_LITERALS = [
  '1=x',
  'true=x',
  'null=x',
  'nokey',
  '=v',
  'a b=1',
  'é=1',
  '.=1',
  '..=1',
  'y=1',
  '1.5=x',
  "q='",
  'a=1',
  '2001-01-01=x',
  '0x1=z',
]

/** A generator, with the files that it reads. */
export function addGenerator(rich: Rich, k: Kustomization, dir: string): void {
  const { r, files, isOdd } = rich
  const pickSome = <T>(list: readonly T[]): T[] => list.filter(() => r.chance(1.5 / list.length))
  const env = `env${files.size}.env`
  files.set(`${dir}/${env}`, r.pick(isOdd ? [...ENVS, ...ODD_ENVS] : ENVS))
  const content = `file${files.size}.txt`
  files.set(`${dir}/${content}`, r.pick(CONTENTS))
  const field = r.pick(['configMapGenerator', 'configMapGenerator', 'secretGenerator'])
  const isTaken = (name: string): boolean => files.has(`/taken/${field}/${name}`)
  const name = r.pick(field === 'secretGenerator' ? ['hidden', 'hidden', 'other'] : ['made', 'made', 'other'])
  const behavior =
    isTaken(name) || (isOdd && r.chance(0.1))
      ? { behavior: r.pick(['merge', 'replace', 'merge']) }
      : r.chance(0.1)
        ? { behavior: 'create' }
        : {}
  files.set(`/taken/${field}/${name}`, '')
  push(k, field, {
    name,
    ...behavior,
    ...(r.chance(0.1) ? { namespace: r.pick(['one', 'default']) } : {}),
    ...(r.chance(0.7) ? { literals: pickSome(isOdd ? [...LITERALS, ...ODD_LITERALS] : LITERALS) } : {}),
    ...(r.chance(0.4) ? r.pick([{ envs: [env] }, { env }]) : {}),
    ...(r.chance(0.4)
      ? {
          files: [
            r.pick([
              content,
              `key=${content}`,
              `k.e-y_=${content}`,
              ...(isOdd ? [`=${content}`, `a=b=${content}`, 'missing.txt', `1=${content}`, '.', `./${content}`] : []),
            ]),
          ],
        }
      : {}),
    ...(field === 'secretGenerator' && r.chance(0.3) ? { type: r.pick(['kubernetes.io/tls', 'x', '']) } : {}),
    ...(r.chance(0.25) ? { options: r.pick<object>([...GENERATOR_OPTIONS, { labels: { '1': 'a' } }]) } : {}),
  })
}
