import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertLinear } from '../../../tests/support/cpu-time.ts'
import { renderTemplate } from './render.ts'

const data = {
  Name: 'web',
  Values: new Map([
    ['cluster', 'prod'],
    ['a', 'x'],
  ]),
  List: ['b', 'a'],
  Objects: new Map([
    [{ Kind: 'B', Name: 'x' }, 1],
    [{ Kind: 'A', Name: 'y' }, 2],
  ]),
  Image: { Policy: { Name: 'p' }, String: () => 'r/i:1' },
}
const cases: readonly [template: string, want: string][] = [
  ['a {{ .Name }} b', 'a web b'],
  ['a {{- .Name -}} b', 'awebb'],
  ['{{/* no */}}{{ .Name | upper | printf "%s-%s" "x" }}', 'x-WEB'],
  ['{{ range $k, $v := .Values }}{{ $k }}={{ $v }};{{ end }}', 'a=x;cluster=prod;'],
  ['{{ range .List }}{{ . }}{{ else }}none{{ end }}', 'ba'],
  ['{{ range $o, $n := .Objects -}}\n{{ $o.Kind }}/{{ $o.Name }} {{ end }}', 'A/y B/x '],
  ['{{ if eq .Name "web" }}yes{{ else }}no{{ end }}', 'yes'],
  ['{{ if and (eq .Name "x") true }}1{{ else if .List }}2{{ end }}', '2'],
  ['{{ with .Values.cluster }}{{ . }}{{ end }}{{ .Values.none }}', 'prod<no value>'],
  ['{{ index .Values "cluster" }} {{ .Image }} {{ .Image.Policy.Name }}', 'prod r/i:1 p'],
  ['{{ $x := 1 }}{{ range .List }}{{ $x = add $x 1 }}{{ end }}{{ $x }}', '3'],
  ['{{ join "," (sortAlpha .List) }} {{ default "d" "" }} {{ len .List }}', 'a,b d 2'],
  ['{{ range $i, $e := .List }}{{ if eq $i 1 }}{{ break }}{{ end }}{{ $e }}{{ end }}', 'b'],
  ['{{ define "x" }}[{{ . }}]{{ end }}{{ template "x" "a" }}{{ template "x" }}', '[a][<no value>]'],
  ['{{ block "x" .Values.a }}({{ . }}){{ end }}{{ template "x" 1 }}', '(x)(1)'],
  ['{{ .Values.nope.more }}', '<no value>'],
  ['{{ regexReplaceAll "b+" "abbab" "c" }} {{ regexReplaceAll "(a)(x*)" "-ab-" "${1}w" }}', 'acac -awb-'],
  ['{{ regexReplaceAll "x*" "abc" "-" }} {{ regexReplaceAllLiteral "a" "aba" "$1" }}', '-a-b-c- $1b$1'],
  ['{{ regexMatch "(" "a" }}', 'false'],
  ['{{ len (regexReplaceAll "b" (repeat 100000 "ab") "c") }}', '200000'],
  ['{{ uniq (list 1 "1" 1 nil (list 1) (list 1) nil) }} {{ len (uniq (until 10000)) }}', '[1 1 <nil> [1]] 10000'],
  ['{{ regexMatch "^v\\\\d" "v1" }} {{ regexFind "[a-z]+" "12ab3c" }}', 'true ab'],
  [
    '{{ regexFindAll "[0-9]+" "1a22b3" -1 }} {{ regexFindAll "[0-9]+" "1a22b3" 2 }} {{ regexQuoteMeta "1.2+" }}',
    '[1 22 3] [1 22] 1\\.2\\+',
  ],
  ['{{ sha256sum "a" | trunc 8 }} {{ sha1sum "a" | trunc 8 }}', 'ca978112 86f7e437'],
  ['{{ printf "%+v %+d %+v" .Image.Policy 7 .List }}', '{Name:p} +7 [b a]'],
  ['{{ "q\\n" }}{{ `r\\n` }}{{ printf "%-4s|%03d|%q" "a" 7 "z" }}', 'q\nr\\na   |007|"z"'],
]
for (const [template, want] of cases)
  test(`template ${template.replaceAll('\n', ' ')}`, () => assert.equal(renderTemplate('t', template, data), want))

// Computed by text/template and sprig 3.3.
const sprig: readonly [template: string, want: string][] = [
  ['{{ semver "v1.2.3-rc.1+b" }} {{ (semver "1.2.3-a").Minor }} {{ (semver "1.2").Prerelease }}|', '1.2.3-rc.1+b 2 |'],
  ['{{ semverCompare "^1.2" "1.3.0" }} {{ semverCompare ">=2" "1.3.0" }}', 'true false'],
  ['{{ dig "a" "b" "d" (dict "a" (dict "b" 1)) }} {{ dig "a" "x" "d" (dict "a" (dict "b" 1)) }}', '1 d'],
  ['{{ (pick (dict "a" 1 "b" 2) "a") | toJson }} {{ (omit (dict "a" 1 "b" 2) "a") | toJson }}', '{"a":1} {"b":2}'],
  [
    '{{ (merge (dict "a" 1) (dict "a" 2 "b" 3)) | toJson }} {{ (mergeOverwrite (dict "a" 1) (dict "a" 2)) | toJson }}',
    '{"a":1,"b":3} {"a":2}',
  ],
  [
    '{{ (set (dict) "a" "<") | toJson }} {{ (unset (dict "a" 1) "a") | toRawJson }} {{ pluck "a" (dict "a" 1) (dict) }}',
    '{"a":"\\u003c"} {} [1]',
  ],
  ['{{ (fromJson "{\\"a\\":[1,\\"x\\"]}").a }} {{ toPrettyJson (list 1) }}', '[1 x] [\n  1\n]'],
  [
    '{{ chunk 2 (list 1 2 3) }} {{ slice (list 1 2 3) 1 2 }} {{ untilStep 0 6 2 }} {{ seq 3 }} {{ until -2 }}',
    '[[1 2] [3]] [2] [0 2 4] 1 2 3 [0 -1]',
  ],
  [
    '{{ any 0 1 }} {{ all 1 "" }} {{ mustFirst (list 1 2) }} {{ tuple 1 "a" }} {{ list 1 nil "a" }}',
    'true false 1 [1 a] [1 <nil> a]',
  ],
  [
    '{{ wrap 5 "aa bb cc" }} {{ wrapWith 3 "|" "abcdef" }} {{ abbrev 6 "abcdefgh" }} {{ abbrevboth 5 10 "1234 5678 9012 3456" }}',
    'aa bb\ncc abc|def abc... ...5678...',
  ],
  [
    '{{ swapcase "aB c" }} {{ initials "first try" }} {{ trunc -2 "abc" }} {{ substr 1 -1 "abc" }} {{ substr 0 9 "abc" }}',
    'Ab C ft bc bc abc',
  ],
  [
    '{{ addf 1.5 2 }} {{ round 3.456 2 }} {{ ceil 1.2 }} {{ floor -1.2 }} {{ maxf 1 2.5 }} {{ toDecimal "0777" }}',
    '3.5 3.46 2 -2 2.5 511',
  ],
  [
    '{{ kindOf "a" }} {{ kindOf (list) }} {{ typeOf (dict) }} {{ typeIs "string" "a" }} {{ kindIs "int" 1 }} {{ deepEqual (list 1) (list 1) }}',
    'string slice map[string]interface {} true true true',
  ],
  [
    '{{ duration "95" }} {{ durationRound "100h" }} {{ b32enc "hi" }} {{ b32dec "NBUQ====" }} {{ adler32sum "a" }} {{ b64dec "%" }}',
    '1m35s 4d NBUQ==== hi 6422626 illegal base64 data at input byte 0',
  ],
  ['{{ base "a/b.c" }} {{ dir "a/b/" }} {{ clean "a//../b/" }} {{ isAbs "/a" }} {{ osBase "" }}', 'b.c a/b b true .'],
  [
    '{{ regexSplit "[-,]" "a-b,c" -1 }} {{ mustRegexFind "b+" "abb" }} {{ urlquery "a b!" }} {{ print 1 2 "a" 3 nil }} {{ splitn "," 2 "a,b,c" }}',
    '[a b c] bb a+b%21 1 2a3 <nil> map[_0:a _1:b,c]',
  ],
]
for (const [template, want] of sprig)
  test(`sprig ${template}`, () => assert.equal(renderTemplate('t', template, data), want))

const faults: readonly [template: string, message: RegExp][] = [
  ['{{ .Nope', /^template: t:1: unclosed action$/],
  ['x\n{{ .Nope }}', /^template: t:2:3: executing "t" at <\.Nope>: can't evaluate field Nope in type object$/],
  ['{{ .Image.Policy.Nope }}', /^template: t:1:9: executing "t" at <\.Image\.Policy\.Nope>: can't evaluate field Nope/],
  ['{{ .Image.Nope.More }}', /^template: t:1:9: executing "t" at <\.Image\.Nope\.More>: can't evaluate field Nope/],
  [
    '{{ index  .List 9 }}',
    /^template: t:1:3: executing "t" at <index \.List 9>: error calling index: index out of range: 9$/,
  ],
  ['{{ fail "mine" }}', /^template: t:1:3: executing "t" at <fail "mine">: error calling fail: mine$/],
  ['{{ len 3 }}', /error calling len: len of type int$/],
  [
    '{{ regexFind "(" "a" }}',
    /error calling regexFind: regexp: Compile\(`\(`\): error parsing regexp: missing closing \): `\(`$/,
  ],
  ['{{ if }}x{{ end }}', /^template: t:1: missing value for if$/],
  ['{{ nope }}', /function "nope" not defined/],
  ['{{ if .Name }}', /unexpected EOF/],
  ['{{ end }}', /unexpected \{\{end\}\}/],
  ['{{ env "HOME" }}', /function "env" not defined/],
  ['{{ template "x" . }}', /^template: t:1:12: executing "t" at <\{\{template "x" \.\}\}>: template "x" not defined$/],
  ['{{ define "x" }}{{ .Nope }}{{ end }}{{ template "x" . }}', /^template: t:1:19: executing "x" at <\.Nope>/],
  ['{{ define "x" }}{{ template "x" . }}{{ end }}{{ template "x" }}', /exceeded maximum template depth/],
  ['{{ if true }}{{ define "x" }}{{ end }}{{ end }}', /unexpected \{\{define\}\}/],
  ['{{ define x }}{{ end }}', /unexpected "x" in define clause/],
  ['{{ define "x" }}', /unexpected EOF/],
  ['{{ block "x" }}{{ end }}', /missing value for block clause/],
  [
    '{{ index .Values 3 }}',
    /^template: t:1:3: executing "t" at <index \.Values 3>: error calling index: value has type number; should be string$/,
  ],
  ['{{ slice "abc" 1 }}', /error calling slice: list should be type of slice or array but string$/],
  ['{{ $x }}', /undefined variable/],
  ['{{ range until 10000 }}{{ range until 10000 }}{{ end }}x{{ end }}', /too many steps|above 1 MiB/],
  ['{{ repeat 1000000000 "xxxxxxxxxx" }}', /above 1 MiB|Invalid string length/],
  [`${'{{ if true }}'.repeat(500)}`, /nest too deeply/],
  [`{{ if 0 }}${'{{ else if 0 }}'.repeat(15_000)}{{ end }}`, /nest too deeply/],
  [`{{ .Image${'.Nope'.repeat(50_000)} }}`, /^template: t:1:9: executing "t" at <\.Image\.Nope/],
  ['{{ .constructor }}', /field constructor/],
  [
    '{{ regexFindAll "a*b|a" (repeat 10000 "a") -1 }}',
    /error calling regexFindAll: regular expressions take too many steps$/,
  ],
  [
    '{{ range until 10000 }}{{ regexMatch "a*b" (repeat 1000 "a") }}{{ end }}',
    /regexMatch: regular expressions take too many/,
  ],
  ['{{ regexReplaceAllLiteral "a" (repeat 1000 "a") (repeat 10000 "b") }}', /the text is above 1 MiB/],
  ['{{ $l := until 10000 }}{{ append $l 1 }}', /error calling append: the list has more than 10000 items$/],
  ['{{ $l := until 10000 }}{{ prepend $l 1 }}', /error calling prepend: the list has more/],
  ['{{ $l := until 10000 }}{{ push $l 1 }}', /error calling push: the list has more/],
  ['{{ $l := until 9999 }}{{ concat $l $l }}', /error calling concat: the list has more/],
  ['{{ splitList "" (repeat 20000 "a") }}', /error calling splitList: the list has more/],
  ['{{ regexSplit "a" (repeat 20000 "a") -1 }}', /error calling regexSplit: the list has more/],
]
for (const [template, message] of faults)
  test(`template refuses ${template.slice(0, 40).replaceAll('\n', ' ')}`, () =>
    assert.throws(() => renderTemplate('t', template, data), { code: 'TEMPLATE_INVALID', message }))

test('a template is read in time that grows with its length alone', () => {
  assertLinear((lines) => {
    assert.equal(renderTemplate('t', '{{.Name}}\n'.repeat(lines), data).length, lines * `${data.Name}\n`.length)
  }, 24_000)
})
