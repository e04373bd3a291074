import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { dump } from "js-yaml";
import { describe, expect, test } from "vitest";
import { decodeAny, encodeAny, type TypedAny } from "../../src/wire/codec.ts";
import { resourcesFor } from "../../src/xds/resources.ts";
import { TLS_PARAMS } from "../../src/xds/tls.ts";
import type { XdsKind } from "../../src/xds/types.ts";
import { expectGolden, expectNoStaleGoldens } from "../support/golden.ts";
import { readXdsCase } from "../support/xds-case.ts";

// test/xds/testdata/in/<case>.yaml (IR) -> out/<case>.<kind>.yaml: what Envoy gets, decoded from the bytes that are sent.
const IN = join(import.meta.dirname, "testdata/in");
const OUT = join(import.meta.dirname, "testdata/out");
const KINDS: readonly XdsKind[] = ["cluster", "endpoint", "listener", "route", "extension"];
const MAX_LINES = 200;

const cases = readdirSync(IN).filter((name) => name.endsWith(".yaml"));
const written = new Set<string>();

describe("IR to Envoy resources", () => {
  test.each(cases)("%s", (name) => {
    const { config, options } = readXdsCase(join(IN, name));
    const resources = resourcesFor(config, options);
    for (const kind of KINDS) {
      const decoded = resources.names(kind).map(({ name: resource }) => sent(resources.resource(kind, resource)));
      if (decoded.length === 0) continue;
      const file = `${name.replace(/\.yaml$/, "")}.${kind}s.yaml`;
      written.add(file);
      const text = dump(decoded.map(shorten), { lineWidth: 160, noRefs: true, sortKeys: false });
      expect(text.split("\n").length, `${file} is for people to read`).toBeLessThan(MAX_LINES);
      expectGolden(join(OUT, file), text);
    }
  });

  test("no golden is left over", () => {
    expectNoStaleGoldens(OUT, written);
  });
});

/** The resource as Envoy reads it. */
function sent(resource: TypedAny | undefined): TypedAny {
  if (resource === undefined) throw new Error("a name without a resource");
  const { typeUrl, bytes } = encodeAny(resource);
  return decodeAny(typeUrl, bytes);
}

/**
 * The same with what repeats in every resource written short: metrics loggers, the peer filter and the downstream TLS
 * context by a hash (parts.test.ts has each in full), type URLs by their last parts.
 */
function shorten(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shorten);
  if (value === null || typeof value !== "object") return value;
  const object = value as Readonly<Record<string, unknown>>;
  const { name } = object;
  if (typeof name === "string" && /^istio\.(stats|metadata_exchange)/.test(name)) return `${name} ${hash(object)}`;
  if ("require_client_certificate" in object && JSON.stringify(object).includes("ROOTCA"))
    return `mesh TLS ${hash(object)}`;
  if ("api_config_source" in object) return "the agent's SDS";
  if (JSON.stringify(object) === JSON.stringify(TLS_PARAMS)) return "TLS 1.2 or 1.3";
  return Object.fromEntries(
    Object.entries(object).map(([key, part]) => [
      key,
      key === "@type" && typeof part === "string" ? part.split(".").slice(-3).join(".") : shorten(part),
    ]),
  );
}

function hash(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 8);
}
