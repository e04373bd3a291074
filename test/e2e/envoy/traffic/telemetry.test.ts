import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KubeObject } from "../../../../src/resources/object.ts";
import { readValues } from "../../../../src/resources/yaml-values.ts";
import type { TrafficCase } from "../../../support/traffic/case.ts";
import { type Collector, collectorObjects, startCollector } from "../../../support/traffic/collector.ts";
import { type Lab, startLab } from "../../../support/traffic/lab.ts";
import { waitFor } from "../../../support/wait.ts";
import { meshOf, readStories, runStep } from "../../../support/traffic/telemetry-story.ts";

// What proxies tell of their traffic: spans, access logs and metrics, as Telemetries and providers say, received by real
// servers. A story is a file below telemetry/: one state of the mesh after the other (docs/internals/traffic.md).
const stories = readStories(join(import.meta.dirname, "telemetry"));
const ports = [
  { name: "http", port: 80, targetPort: 8080 },
  { name: "tcp-echo", port: 90, targetPort: 9000 },
];
const item: TrafficCase = {
  name: "telemetry",
  namespace: "telemetry",
  requests: [],
  objects: [
    { apiVersion: "v1", kind: "Service", metadata: { name: "echo" }, spec: { ports } },
    {
      apiVersion: "networking.istio.io/v1",
      kind: "Gateway",
      metadata: { name: "way-in" },
      spec: {
        selector: { istio: "gateway" },
        servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }],
      },
    },
    {
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      metadata: { name: "way-in" },
      spec: {
        hosts: ["way.example.com"],
        gateways: ["way-in"],
        http: [{ route: [{ destination: { host: "echo" } }] }],
      },
    },
  ] as unknown as readonly KubeObject[],
};
let lab: Lab;
let collector: Collector;
let standing: readonly KubeObject[] = [];

/** What stood in the step before and does not in this one goes in the same batch. */
function become(objects: readonly KubeObject[]): void {
  const key = ({ kind, metadata }: KubeObject): string => `${kind}/${metadata.namespace ?? ""}/${metadata.name}`;
  const keys = new Set(objects.map(key));
  const gone = standing.filter((object) => !keys.has(key(object)));
  lab.plane.state.world.apply([
    ...gone.map((object) => ({ type: "delete" as const, object })),
    ...objects.map((object) => ({ type: "set" as const, object })),
  ]);
  standing = objects;
}

beforeAll(async () => {
  collector = await startCollector();
  const address = `127.0.0.1:${collector.grpc}`;
  const defaultConfig = {
    envoyAccessLogService: { address },
    envoyMetricsService: { address },
    statsdUdpAddress: `127.0.0.1:${collector.statsd}`,
  };
  lab = await startLab([item], { defaultConfig });
});
afterAll(async () => {
  await lab?.stop();
  collector?.close();
});

test("lean metrics: every request counts, once, under the labels that are left", async () => {
  const [lean] = readValues(
    readFileSync(join(import.meta.dirname, "../../../../samples/telemetry/lean-metrics.yaml"), "utf8"),
  );
  const { spec, ...object } = lean as KubeObject<{
    readonly metrics: readonly { readonly overrides: readonly unknown[] }[];
  }>;
  // one label more, so that the requests of this test are told from all others
  const own = { match: { metric: "ALL_METRICS" }, tagOverrides: { run: { value: 'request.headers["x-run"]' } } };
  const metrics = (spec?.metrics ?? []).map((one) => ({ ...one, overrides: [...one.overrides, own] }));
  const run = "lean-$TRY";
  const left = { run, source_workload: "client", destination_workload: "v1", response_code: "200" };
  const gone = Object.fromEntries(
    ["app", "version", "principal", "cluster", "canonical_revision"].flatMap((label) =>
      ["source", "destination"].map((side) => [`${side}_${label}`, null]),
    ),
  );
  const step = {
    it: "lean",
    objects: [{ ...object, spec: { metrics } } as KubeObject],
    request: { path: "/lean", headers: { "x-run": run } },
    metrics: (["client", "v1"] as const).flatMap((at) => [
      { at, name: "istio_requests_total", labels: { ...left, ...gone }, value: 10 },
      ...["istio_request_bytes_count", "istio_response_bytes_count"].map((name) => ({
        at,
        name,
        labels: { run },
        none: true as const,
      })),
    ]),
  };
  become([...collectorObjects(collector), meshOf({}), ...step.objects]);
  expect(await runStep(lab, collector, { item, step })).toEqual([]);
});

describe.each(stories)("$name", ({ steps }) => {
  test.each(steps)("$it", async (step) => {
    become([...collectorObjects(collector), meshOf(step.mesh), ...(step.objects ?? [])]);
    expect(await runStep(lab, collector, { item, step })).toEqual([]);
  });
});

test("statistics go where the proxies' own configuration says", async () => {
  const names = await waitFor(
    async () => {
      const { service, statsd } = await collector.statistics();
      return service.length > 0 && statsd.length > 0 ? { service, statsd } : undefined;
    },
    { what: "statistics by both ways" },
  );
  expect(names.service).toContain("server.live");
  expect(names.statsd).toContain("envoy.server.live");
});

test("no proxy refused anything", () => {
  expect(lab.plane.problems).toEqual([]);
});
