import { expect, test } from "vitest";
import { mergePem } from "../../src/pki/trust-path.ts";

const pem = (body: string): string => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;

test("each root once, the mounted ones first, whatever the line ends", () => {
  const mounted = `# our roots\n${pem("AAAA")}${pem("BBBB").replaceAll("\n", "\r\n")}`;
  const merged = mergePem(mounted, `${pem("BBBB")}${pem("CCCC")}`);
  expect(merged.match(/[A-C]{4}/g)).toEqual(["AAAA", "BBBB", "CCCC"]);
  expect(mergePem(pem("AAAA"), "")).toBe(pem("AAAA"));
});
