import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileCel } from './compile.ts'

/** Values as the JSON of an object has them. */
const self = { size: '1Gi', bad: 'abc', list: [1n, 2n, 3n], words: ['b', 'a'], none: [], labels: { app: 'x' } }

const answers: [text: string, want: unknown][] = [
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
  ['"%s has %d, %.1f".format(["x", 3, 1.25])', 'x has 3, 1.3'],
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
