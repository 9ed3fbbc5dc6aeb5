import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileCel } from '../compile.ts'

/** Values as the JSON of an object has them. */
const self = { size: '1Gi', bad: 'abc', list: [1n, 2n, 3n], words: ['b', 'a'], none: [], labels: { app: 'x' } }

const answers: [text: string, want: unknown][] = [
  ['quantity("1k") == quantity("1000") && quantity("1") != quantity("2")', true],
  ['quantity("1.5k").asInteger()', 1500],
  ['int(1u) == 1 && int(dyn(2u)) == 2', true],
  ["b'a' < b'b' && b'a' <= b'a' && b'b' > b'ab' && dyn(b'\\xff') >= dyn(b'a')", true],
  ['duration(duration("1s")) == duration("1s") && timestamp(timestamp(1)) == timestamp(1)', true],
  ['quantity("1000m").isInteger()', false],
  ['quantity("1.5Gi").isInteger()', false],
  ['quantity("1Gi").add(1).isInteger()', true],
  ['quantity("1").add(quantity("0.5")).add(quantity("0.5")).isInteger()', false],
  ['[[1], [2, 3]].flatten().sum()', 6],
  ['self.words.sortBy(w, w) == ["a", "b"]', true],
  ['self.list.sortBy(i, -i) == [3, 2, 1]', true],
  ['self.list.transformMapEntry(i, v, {string(v): i})["3"]', 2],
  ['self.list.indexOf("a")', -1],
  ['[{"a": 1}].indexOf({"a": 1})', 0],
  ['[duration("1h"), duration("30m")].sum() == duration("90m")', true],
  ['[duration("1h"), duration("30m")].min() == duration("30m")', true],
  ['[[1], [1]].distinct().size()', 1],
  ['self.?labels.optMap(l, l.app).orValue("none")', 'x'],
  ['self.?nothing.optMap(l, l.app).orValue("none")', 'none'],
  ['self.?labels.optFlatMap(l, l.?app).hasValue()', true],
  ['optional.ofNonZeroValue("").hasValue() || optional.ofNonZeroValue(self.none).hasValue()', false],
  ['optional.ofNonZeroValue(5).value()', 5],
  ['string(duration("1h30m")) + string(duration("-1ms"))', '5400s-0.001s'],
  ['string(timestamp("2024-02-29T12:30:45.120Z"))', '2024-02-29T12:30:45.12Z'],
  ['int(timestamp("1969-12-31T23:59:59Z"))', -1],
  ['int(duration("1s"))', 1_000_000_000],
  ['matches("abc", "^a") && !matches("abc", "^b")', true],
  ['"abc".replace("", "-", 2)', '-a-bc'],
  ["strings.quote('a\\t\\\\\"')", '"a\\t\\\\\\""'],
  ['ip.isCanonical("2001:db8::1") && !ip.isCanonical("2001:DB8::1")', true],
  ['url("https://a/b?x=1#y").getQuery()["x"][0]', '1'],
  ['url("mailto:a@b.c").getEscapedPath()', ''],
  [
    '"%s".format([[1, "a", true, null, 1.5, b"x", duration("1m")]])',
    '[1, "a", true, null, 1.500000, b"x", duration("60s")]',
  ],
  ['"%s %s".format([{"b": 1, "a": 2}, type(1)])', '{"a":2, "b":1} int'],
  [
    '"%e %.0f %.2f %x %X %o %b".format([12345.678, 2.5, 0.125, 255, "hi", 8, true])',
    '1.234568×10⁰⁴ 2 0.12 ff 6869 10 1',
  ],
  ['isQuantity(self.size)', true],
  ['isQuantity(self.bad)', false],
  ["isQuantity('1.5Ki')", true],
  ['quantity(self.size).isGreaterThan(quantity("900M"))', true],
  ['quantity("1Gi").isLessThan(quantity("1G"))', false],
  ['quantity("1k").compareTo(quantity("1000"))', 0],
  ['quantity("-1").sign()', -1],
  ['quantity("1").add(quantity("500m")).compareTo(quantity("1.5"))', 0],
  ['quantity("3").sub(1).asInteger()', 2],
  ['quantity("1.5").isInteger()', false],
  ['quantity("1500m").asApproximateFloat()', 1.5],
  ['self.list.isSorted()', true],
  ['self.words.isSorted()', false],
  ['self.list.max() == 3', true],
  ['self.words.min()', 'a'],
  ['self.list.max() < 5 && self.list.min() > 0 && self.list.sum() < 10', true],
  ['self.words.reverse() == ["a", "b"]', true],
  ['lists.range(3) == [0, 1, 2]', true],
  ['self.list.all(i, v, v == i + 1)', true],
  ['self.list.all(i, v, v > i && i < 2)', false],
  ['self.list.exists(i, v, i == 2 && v == 3)', true],
  ['self.list.existsOne(i, v, v > 2)', true],
  ['self.list.exists_one(i, v, v > 2)', true],
  ['self.list.transformList(i, v, i * v) == [0, 2, 6]', true],
  ['self.list.transformList(i, v, i > 0, v) == [2, 3]', true],
  ['self.labels.exists(k, v, k == "app" && v == "x")', true],
  ['self.labels.transformMap(k, v, v + "!")["app"]', 'x!'],
  ['self.labels.transformMap(k, v, k != "app", v).size()', 0],
  ['self.list.all(i, v, self.words.exists(j, w, j < i || w == "b"))', true],
  ['self.words.indexOf("a")', 1],
  ['self.words.lastIndexOf("z")', -1],
  ['"abc 123".find("[0-9]+")', '123'],
  ['"abc".find("[0-9]+")', ''],
  ['"a1 b22".findAll("[0-9]+").join(",")', '1,22'],
  ['"a1 b22".findAll("[0-9]+", 1).size()', 1],
  ['"aXbXc".replace("X", "-", 1)', 'a-bXc'],
  ['"abc".charAt(1)', 'b'],
  ['"%s has %d, %.1f".format(["x", 3, 1.25])', 'x has 3, 1.2'],
  ['self.list.sum()', 6],
  ['self.list.slice(1, 3).sum()', 5],
  ['sets.contains(self.list, [1, 3])', true],
  ['sets.equivalent(self.list, [3, 2, 1, 1])', true],
  ['sets.intersects(self.words, ["z"])', false],
  ['isIP("1.2.3.04")', false],
  ['isIP("::ffff:1.2.3.4")', false],
  ['ip("::1").isLoopback() && ip("::1").family() == 6', true],
  ['string(ip("2001:DB8:0:0:1:0:0:1"))', '2001:db8::1:0:0:1'],
  ['ip("fe80::1").isGlobalUnicast()', false],
  ['cidr("10.1.2.3/8").masked() == cidr("10.0.0.0/8")', true],
  ['cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16")', true],
  ['cidr("10.0.0.0/8").containsIP(ip("11.0.0.1"))', false],
  ['isCIDR("10.0.0.0/33")', false],
  ['url("https://u@example.com:80/a%20b?x=1&x=2").getHost()', 'example.com:80'],
  ['url("https://[::1]:80/path?x=1&x=2").getHostname()', '::1'],
  ['url("https://example.com/?x=1&x=2").getQuery()["x"].size()', 2],
  ['isURL("example.com") || isURL("../x")', false],
  ['isURL("/path")', true],
  ['isSemver("v1.0") || isSemver("1.0")', false],
  ['isSemver("v01.1", true)', true],
  ['semver("1.2.3-rc.1").isLessThan(semver("1.2.3")) && semver("1.2.3").minor() == 2', true],
  ['format.dns1123Label().validate("a.b").hasValue()', true],
  ['format.named("uuid").value().validate("x").hasValue()', true],
]

for (const [text, want] of answers)
  test(`Kubernetes answers ${text}`, () =>
    assert.equal(compileCel(text, { library: 'kubernetes' }).evaluate({ self }), want))

const faults: [text: string, why: string][] = [
  ['int(uint("18446744073709551615"))', 'integer overflow'],
  ['duration(1)', "found no matching overload for 'duration(int)'"],
  ['["a"].sum()', 'no such overload: sum(list)'],
  ['[self.labels].isSorted()', 'no such overload: isSorted(list)'],
  ['[self.labels].sort()', 'list elements must be comparable'],
  ['[].min()', 'min called on empty list'],
  ['[1].flatten(-1)', 'level must be non-negative'],
  ['lists.range(-1)', 'lists.range: size must be non-negative, got -1'],
  ['[1, 2].transformMapEntry(i, v, {"a": v})', 'insert failed: key a already exists'],
  ['"%d".format(["x"])', 'decimal clause can only be used on integers, was given string'],
  ['"%s %s".format(["x"])', 'index 1 out of range'],
  ['"%".format([])', 'unexpected end of string'],
  ['"%q".format([1])', 'unrecognized formatting clause "q"'],
]
for (const [text, why] of faults)
  test(`fails ${text}`, () =>
    assert.throws(
      () => compileCel(text, { library: 'kubernetes' }).evaluate({ self }),
      ({ message }: Error) => message.includes(why),
    ))

test('what cannot be worked out is told', () => {
  const fails =
    (text: string): (() => unknown) =>
    () =>
      compileCel(text, { library: 'kubernetes' }).evaluate({ self })
  assert.throws(fails('quantity(self.bad).sign() == 0'), /quantities must match the regular expression|unable to parse/)
  assert.throws(fails('quantity("1.5").asInteger() == 1'), /cannot convert value to integer/)
  assert.throws(fails('self.none.min() == 1'), /min called on empty list/)
})

test('Flux has none of them', () => assert.throws(() => compileCel('isQuantity("1")').evaluate({})))
