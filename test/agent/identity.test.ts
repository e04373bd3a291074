import { expect, test } from "vitest";
import { mergeRoots } from "../../src/agent/identity.ts";

const pem = (body: string): string => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;

test("each root once, the mounted ones first, whatever the line ends", () => {
  const mounted = `# our roots\n${pem("AAAA")}${pem("BBBB").replaceAll("\n", "\r\n")}`;
  const merged = mergeRoots(mounted, `${pem("BBBB")}${pem("CCCC")}`);
  expect(merged.match(/[A-C]{4}/g)).toEqual(["AAAA", "BBBB", "CCCC"]);
  expect(mergeRoots(pem("AAAA"), "")).toBe(pem("AAAA"));
});
