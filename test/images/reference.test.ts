import { expect, test } from "vitest";
import { parseReference, referenceText } from "../../src/images/reference.ts";

const HEX = "ab".repeat(32);

test.each([
  ["meshctl/meshd:1.0", "docker.io/meshctl/meshd:1.0"],
  ["index.docker.io/meshctl/meshd:1.0", "docker.io/meshctl/meshd:1.0"],
  ["nginx", "docker.io/library/nginx:latest"],
  ["localhost/mesh/proxy:1", "localhost/mesh/proxy:1"],
  ["localhost:5000/proxy", "localhost:5000/proxy:latest"],
  ["registry.example:5000/a/b/c:v1.2-rc_1", "registry.example:5000/a/b/c:v1.2-rc_1"],
  [`registry.example/proxy@sha256:${HEX}`, `registry.example/proxy@sha256:${HEX}`],
  [`registry.example/proxy:1@sha256:${HEX}`, `registry.example/proxy:1@sha256:${HEX}`],
])("%s is %s", (text, whole) => {
  expect(referenceText(parseReference(text))).toBe(whole);
  expect(referenceText(parseReference(whole))).toBe(whole);
});

test.each(["", ":1", "UPPER/case:1", "a/b:", "a//b", "registry.example/", "a@sha256:12", "a b", "a:b:c", "../up"])(
  'refused: "%s"',
  (text) => {
    expect(() => parseReference(text)).toThrow(`got "${text}"`);
  },
);
