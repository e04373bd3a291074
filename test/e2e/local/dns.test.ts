import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { load, type Tally } from "../../../scripts/scenario/ask.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { openScenario } from "../../../scripts/scenario/context.ts";
import {
  missingFor,
  missingKubectl,
  prepareCluster,
  realEnvoy,
  type TestCluster,
} from "../../support/local/cluster.ts";
import { waitFor } from "../../support/wait.ts";

// Names that exist only in the mesh, from inside a pod whose queries are captured: its libc asks, the agent answers from meshd's
// table, and what is dialled then is led by Envoy to where the name means. Pods of the embedded node have no name server.

const reason = missingFor("netns") ?? (await missingKubectl());
if (reason !== undefined && process.env["CI"] === "true") throw new Error(reason);

const NS = "bank";
const IMAGE = "docker.io/meshctl/samples:0.1.0";

function deployment(app: string, port: number, annotations: Readonly<Record<string, string>>): object {
  const container = {
    name: app,
    image: IMAGE,
    args: ["--role", app, "--port", `${port}`],
    ports: [{ containerPort: port }],
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: app, namespace: NS },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app } },
      template: {
        metadata: { labels: { app }, annotations },
        spec: { securityContext: { runAsUser: 1000 }, containers: [container] },
      },
    },
  };
}

/** A host of the mesh that Kubernetes knows nothing of, on a port that several have. */
function entry(name: string, rest: object): object {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name, namespace: NS },
    spec: {
      hosts: [`${name}.bank.internal`],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [{ number: 9100, name: "tcp", protocol: "TCP", targetPort: 9000 }],
      ...rest,
    },
  };
}

const TO_LEDGER = { workloadSelector: { labels: { app: "ledger" } } };
const CAPTURES_DNS = {
  "proxy.istio.io/config": JSON.stringify({
    proxyMetadata: { ISTIO_META_DNS_CAPTURE: "true", CAPTURE_ALL_DNS: "true" },
  }),
};

describe.skipIf(reason !== undefined)(
  `DNS in a pod's network namespace${reason === undefined ? "" : ` (${reason})`}`,
  () => {
    let cluster: TestCluster;
    let scenario: Awaited<ReturnType<typeof openScenario>>;

    beforeAll(async () => {
      cluster = await prepareCluster({ envoy: await realEnvoy() });
      await cluster.meshctl("up", "--network", "netns");
      await cluster.meshctl("install", "-y");
      scenario = await openScenario(cluster.kubeconfig, () => undefined, { kubectl: false });
      const namespace = { metadata: { name: NS, labels: { "istio-injection": "enabled" } } };
      await apply({ apiVersion: "v1", kind: "Namespace", ...namespace });
      // The older of two hosts on one port gets what has no address of its own: this one leads nowhere.
      await apply(entry("nowhere", { endpoints: [{ address: "192.0.2.1" }] }));
      await apply(entry("accounts", TO_LEDGER));
      await apply(deployment("ledger", 9000, {}), deployment("client", 8080, CAPTURES_DNS));
      await cluster.kubectl(
        "-n",
        NS,
        "wait",
        "--for=condition=Available",
        "--timeout=60s",
        "deployment/ledger",
        "deployment/client",
      );
    }, 120_000);
    afterAll(async () => {
      await scenario?.close();
      await cluster?.remove();
    });

    const apply = async (...objects: readonly object[]): Promise<void> => {
      for (const object of objects)
        await scenario.cluster.apply(object as KubeObject, { fieldManager: "test", force: true });
    };
    const dial = (to: string, requests = 1): Promise<Tally> =>
      load(scenario, { namespace: NS, app: "client" }, { to, requests });

    test("a host without address gets one, and connections to it go where it means", async () => {
      const tally = await waitFor(
        async () => {
          const seen = await dial("accounts.bank.internal:9100", 3);
          return Object.keys(seen.error).length === 0 ? seen : undefined;
        },
        { what: "an answer from accounts.bank.internal", timeoutMs: 20_000 },
      );
      expect(tally.requests).toBe(3);
    });

    test("the other host on that port is not mistaken for it", async () => {
      const { error } = await dial("nowhere.bank.internal:9100");
      expect(Object.keys(error)).toHaveLength(1);
      expect(Object.keys(error)[0]).not.toMatch(/ENOTFOUND|EAI_AGAIN/);
    });

    test("a name that nobody knows stays unknown; one that is added is known within a second", async () => {
      const late = "late.bank.internal:9100";
      expect(Object.keys((await dial(late)).error)[0]).toMatch(/ENOTFOUND|EAI_AGAIN/);
      await apply(entry("late", TO_LEDGER));
      const since = Date.now();
      await waitFor(async () => Object.keys((await dial(late)).error).length === 0, { what: "the new name" });
      expect(Date.now() - since).toBeLessThan(1_000);
    });
  },
);
