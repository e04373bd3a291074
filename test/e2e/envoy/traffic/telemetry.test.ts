import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KubeObject } from "../../../../src/resources/object.ts";
import type { TrafficCase } from "../../../support/traffic/case.ts";
import { type Collector, collectorObjects, startCollector } from "../../../support/traffic/collector.ts";
import { type Lab, startLab } from "../../../support/traffic/lab.ts";
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
  [collector, lab] = await Promise.all([startCollector(), startLab([item])]);
});
afterAll(async () => {
  await lab?.stop();
  collector?.close();
});

describe.each(stories)("$name", ({ steps }) => {
  test.each(steps)("$it", async (step) => {
    become([...collectorObjects(collector), meshOf(step.mesh), ...(step.objects ?? [])]);
    expect(await runStep(lab, collector, { item, step })).toEqual([]);
  });
});

test("no proxy refused anything", () => {
  expect(lab.plane.problems).toEqual([]);
});
