import { LAST, type Ranges } from './classes.ts'

const CATEGORIES = new Set(
  'C Cc Cf Cn Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs'.split(' '),
)

/** Unicode's long names of categories, without what {@link canonical} takes away. */
const ALIASES: Readonly<Record<string, string>> = {
  ...{ Casedletter: 'LC', Letter: 'L', Lowercaseletter: 'Ll', Modifierletter: 'Lm', Otherletter: 'Lo' },
  ...{ Titlecaseletter: 'Lt', Uppercaseletter: 'Lu', Lc: 'LC' },
  ...{ Combiningmark: 'M', Mark: 'M', Enclosingmark: 'Me', Nonspacingmark: 'Mn', Spacingmark: 'Mc' },
  ...{ Number: 'N', Decimalnumber: 'Nd', Digit: 'Nd', Letternumber: 'Nl', Othernumber: 'No' },
  ...{ Punctuation: 'P', Punct: 'P', Closepunctuation: 'Pe', Connectorpunctuation: 'Pc', Dashpunctuation: 'Pd' },
  ...{ Finalpunctuation: 'Pf', Initialpunctuation: 'Pi', Openpunctuation: 'Ps', Otherpunctuation: 'Po' },
  ...{ Symbol: 'S', Currencysymbol: 'Sc', Mathsymbol: 'Sm', Modifiersymbol: 'Sk', Othersymbol: 'So' },
  ...{ Separator: 'Z', Lineseparator: 'Zl', Paragraphseparator: 'Zp', Spaceseparator: 'Zs' },
  ...{ Other: 'C', Control: 'Cc', Cntrl: 'Cc', Format: 'Cf', Privateuse: 'Co', Surrogate: 'Cs', Unassigned: 'Cn' },
}

/** Scripts whose whole name has four letters, as Unicode's abbreviations have, which Go does not know. */
const SHORT_SCRIPTS = new Set(['Ahom', 'Cham', 'Kawi', 'Lisu', 'Thai'])

/** Of names that there are: others would be without end. */
const known = new Map<string, Ranges>()

/** What `\p{name}` stands for: a category or a script, its case and its blanks, dashes and underscores not minded; undefined for no name. */
export function unicodeClass(written: string): Ranges | undefined {
  const name = canonical(written)
  const ranges = known.get(name) ?? rangesOf(name)
  if (ranges !== undefined) known.set(name, ranges)
  return ranges
}

function canonical(name: string): string {
  const joined = name.replace(/[-_ ]/g, '')
  return joined.replace(/^[a-z]/, (char) => char.toUpperCase()).replace(/(?<=.)[A-Z]/gs, (char) => char.toLowerCase())
}

function rangesOf(name: string): Ranges | undefined {
  if (name === 'Any') return [0, LAST]
  if (name === 'Ascii') return [0, 0x7f]
  if (name === 'Assigned') return scan('\\P{Cn}')
  const category = CATEGORIES.has(name) ? name : Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined
  if (category !== undefined) return scan(`\\p{${category}}`)
  if (!/^[A-Z][a-z]+$/.test(name) || (name.length === 4 && !SHORT_SCRIPTS.has(name))) return undefined
  return scan(`\\p{Script=${name}}`)
}

const BLOCK = 0x800
const SURROGATES = 0xd800
/** Behind it whole blocks are alike, but for the tags and the ends of planes. */
const MIXED_UNTIL = 0x33800
const TAGS = 0xe0000
const PLANE = 0x10000

/** The code points that JavaScript's class holds; surrogates are none of a text. */
function scan(source: string): Ranges | undefined {
  let one: RegExp
  try {
    one = new RegExp(`^${source}$`, 'u')
  } catch {
    return undefined
  }
  const ranges: number[] = []
  const add = (low: number, high: number): void => {
    if (ranges.at(-1) === low - 1) ranges[ranges.length - 1] = high
    else ranges.push(low, high)
  }
  for (let start = 0; start <= LAST; start += BLOCK) {
    if (start === SURROGATES) continue
    const isAlike = start >= MIXED_UNTIL && start !== TAGS && (start + BLOCK) % PLANE !== 0
    if (isAlike && one.test(String.fromCodePoint(start))) add(start, start + BLOCK - 1)
    for (let code = start; !isAlike && code < start + BLOCK; code++)
      if (one.test(String.fromCodePoint(code))) add(code, code)
  }
  return ranges
}
