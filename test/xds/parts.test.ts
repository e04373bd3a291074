import { join } from "node:path";
import { dump } from "js-yaml";
import { expect, test } from "vitest";
import { decodeMessage, encodeMessage, type Messages } from "../../src/wire/codec.ts";
import { accessLogs } from "../../src/xds/access-loggers/order.ts";
import { networkFilters } from "../../src/xds/network-filters/order.ts";
import { downstreamMeshTls } from "../../src/xds/tls.ts";
import type { ChainContext } from "../../src/xds/types.ts";
import { expectGolden, expectNoStaleGoldens } from "../support/golden.ts";

// The parts that other goldens only name by a hash, each in full once, decoded from bytes.
const OUT = join(import.meta.dirname, "testdata/parts");
const options = { trustDomains: ["cluster.local"], accessLog: undefined, protocolDetectionTimeoutMs: 0 };
const outbound: ChainContext = { direction: "outbound", mutualTls: false, service: undefined, options };
const service = { host: "web.shop.svc.cluster.local", name: "web", namespace: "shop" };
const inbound: ChainContext = { direction: "inbound", mutualTls: true, service, options };

test.each([
  ["metrics-source-http", outbound, "http"],
  ["metrics-source-tcp", outbound, "tcp"],
  ["metrics-destination-http", inbound, "http"],
  ["metrics-destination-plaintext", { ...inbound, mutualTls: false, service: undefined }, "tcp"],
] as const)("%s", (name, chain, protocol) => {
  const logs = accessLogs(chain, protocol).map((log) => {
    const decoded = sent("envoy.config.accesslog.v3.AccessLog", log);
    const config = decoded.typed_config as unknown as Messages["envoy.extensions.access_loggers.stats.v3.Config"];
    const stats = [...(config.counters ?? []), ...(config.histograms ?? [])];
    const tags = stats.map(({ stat }) => (stat?.tags ?? []).map(tagLine));
    for (const other of tags) expect(other).toEqual(tags[0]);
    return {
      name: decoded.name,
      filter: decoded.filter ?? "none",
      scope: config.stats_scope,
      stats: stats.map(({ stat, ...value }) => `${stat?.name} ${JSON.stringify(value)}`),
      tags: tags[0],
    };
  });
  expectGolden(join(OUT, `${name}.yaml`), dump(logs, { lineWidth: -1 }));
});

test("metadata-exchange", () => {
  const filters = networkFilters(inbound, "tcp").map((filter) => sent("envoy.config.listener.v3.Filter", filter));
  expectGolden(join(OUT, "metadata-exchange.yaml"), dump(filters, { lineWidth: -1, flowLevel: 5 }));
  expect(networkFilters({ ...inbound, mutualTls: false }, "tcp")).toEqual([]);
});

test("downstream-tls", () => {
  const socket = sent("envoy.config.core.v3.TransportSocket", downstreamMeshTls(["cluster.local", "old.local"]));
  expectGolden(join(OUT, "downstream-tls.yaml"), dump(socket, { lineWidth: -1 }));
});

test("no golden is left over", () => {
  const metrics = ["source-http", "source-tcp", "destination-http", "destination-plaintext"];
  const names = [...metrics.map((name) => `metrics-${name}`), "metadata-exchange", "downstream-tls"];
  expectNoStaleGoldens(
    OUT,
    names.map((name) => `${name}.yaml`),
  );
});

function sent<N extends keyof Messages>(type: N, value: Messages[N]): Messages[N] {
  return decodeMessage(type, encodeMessage(type, value));
}

/** A tag on one line: its format, and what its rules make of it. */
function tagLine(tag: Messages["envoy.extensions.access_loggers.stats.v3.Config.Tag"]): string {
  const rules = tag.rules === undefined ? "" : ` -> ${ruleText(JSON.stringify(tag.rules))}`;
  return `${tag.name}: ${tag.value_format}${rules}`;
}

/** The match and the new values, in the order in which they stand. */
function ruleText(json: string): string {
  return [...json.matchAll(/"(exact|prefix|new_tag_value)":"([^"]*)"/g)]
    .map(([, what, value]) => `${what} '${value}'`)
    .join(", ");
}
