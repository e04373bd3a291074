import { expect, test } from "vitest";
import * as cel from "../../src/base/cel.ts";
import { withoutNulls } from "../../src/base/nulls.ts";

test.each([
  ["1ms", 1e6],
  ["1m30s", 9e10],
  ["1.5h", 5.4e12],
  ["-2us", -2000],
  ["0", 0],
])("duration %s is %d ns", (text, nanoseconds) => {
  expect(cel.duration(text)).toBe(nanoseconds);
});

test.each(["", "5", "s", "1x", "1 s", "--1s"])("%j is no duration: the rule fails", (text) => {
  expect(cel.holds((self) => cel.duration(self) >= 0, text)).toBe(false);
});

test.each([
  ["https://a.b:80/c?d", "https"],
  ["oci://[::1]:5000/x", "oci"],
  ["localhost:5000/image", "localhost"],
  ["/path", ""],
  ["FILE:///x", "file"],
])("URL %s", (text, scheme) => {
  expect(cel.getScheme(cel.url(text))).toBe(scheme);
});

test.each(["a.b/c", "", "https://a b", "https://a/%zz", "https://a:port", "https://a\n"])("%j is no URL", (text) => {
  expect(cel.isURL(text)).toBe(false);
});

test("a missing field is an error, which the other side of && and || can make up for", () => {
  const missing = (): unknown => cel.field({}, "a");
  expect(cel.or(missing, () => true)).toBe(true);
  expect(cel.and(missing, () => false)).toBe(false);
  expect(() => cel.or(missing, () => false)).toThrow("no such key");
  expect(() => cel.and(missing, () => true)).toThrow("no such key");
  expect(cel.holds(missing, {})).toBe(false);
});

test("lists have items, maps have keys, texts have characters", () => {
  expect(cel.members(["a", "b"])).toEqual(["a", "b"]);
  expect(cel.members({ a: 1 })).toEqual(["a"]);
  expect(() => cel.members("ab")).toThrow("neither");
  expect([cel.size("a😀"), cel.size([1]), cel.size({ a: 1, b: 2 })]).toEqual([2, 1, 2]);
  expect([cel.within("a", { a: 1 }), cel.within("b", ["a"])]).toEqual([true, false]);
  expect(() => cel.item({}, 1)).toThrow("no such item");
  expect(cel.matches("/Pkg.Svc", "^(?i)/pkg")).toBe(true);
  expect(() => cel.int("1.5")).toThrow("not a number");
});

test("null fields go, null items stay, and a value without nulls stays itself", () => {
  const value = { a: null, b: [{ c: null, d: 1 }, null], e: { f: "g" } };
  expect(withoutNulls(value)).toEqual({ b: [{ d: 1 }, null], e: { f: "g" } });
  expect(withoutNulls(value.e)).toBe(value.e);
});
