import { afterAll, beforeAll, expect, test } from "vitest";
import { explicitPort } from "../../../src/base/explicit-port.ts";
import { TRAFFIC_ANNOTATION } from "../../../src/model/pods.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import type { TrafficCase } from "../../support/traffic/case.ts";
import { ask } from "../../support/traffic/ask.ts";
import { type Lab, startLab } from "../../support/traffic/lab.ts";
import { SERVERS } from "../../support/traffic/mesh-objects.ts";
import { waitFor } from "../../support/wait.ts";

// What `meshctl drain` writes, seen by a real client's Envoy: two servers share the requests, until one is taken out.

const SERVICE: KubeObject = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "echo" },
  spec: { selector: { app: "echo" }, ports: [{ name: "http", port: 80, targetPort: 8080 }] },
};
/** Turn by turn, so that a few requests say who takes part. v3 has no sidecar, and is another subset. */
const RULE: KubeObject = {
  apiVersion: "networking.istio.io/v1",
  kind: "DestinationRule",
  metadata: { name: "echo" },
  spec: { host: "echo", trafficPolicy: { loadBalancer: { simple: "ROUND_ROBIN" } } },
};
const item: TrafficCase = { name: "drain", namespace: "drain", requests: [], objects: [SERVICE, RULE] };

const TURNS = 12;
let lab: Lab;

beforeAll(async () => {
  lab = await startLab([item]);
});
afterAll(() => lab?.stop());

/** Who answers, and how many requests fail. */
async function answering(): Promise<{ readonly who: readonly string[]; readonly failed: number }> {
  const target = { host: lab.address("drain", "echo") ?? "", port: explicitPort(80), authority: "echo.drain" };
  const answers = await Promise.all(
    Array.from({ length: TURNS }, () => ask(target, { it: "", expect: {} }, { "x-id": "drain" })),
  );
  const who = answers.map(({ body }) => (JSON.parse(body) as { readonly who: string }).who);
  return { who: [...new Set(who)].toSorted(), failed: answers.filter(({ status }) => status !== 200).length };
}

function withhold(pod: string, value: string | undefined): void {
  const object = lab.plane.state.world.get("Pod", SERVERS, pod);
  if (object === undefined) throw new Error(`no pod ${pod}`);
  const annotations = value === undefined ? {} : { [TRAFFIC_ANNOTATION]: value };
  lab.plane.state.world.apply([{ type: "set", object: { ...object, metadata: { ...object.metadata, annotations } } }]);
}

/** Milliseconds until these answer alone; no request fails meanwhile. */
async function until(who: readonly string[]): Promise<number> {
  const started = performance.now();
  await waitFor(
    async () => {
      const seen = await answering();
      expect(seen.failed).toBe(0);
      return seen.who.join() === who.join();
    },
    { what: `answers of ${who.join(" and ")} alone` },
  );
  return performance.now() - started;
}

test.each(["drain", "eject"])("%s: within a second the pod gets nothing, and no request fails", async (value) => {
  await until(["v1", "v2", "v3"]);
  withhold("v1", value);
  expect(await until(["v2", "v3"])).toBeLessThan(1_000);
  withhold("v1", undefined);
  expect(await until(["v1", "v2", "v3"])).toBeLessThan(1_000);
  expect(lab.plane.problems).toEqual([]);
});
