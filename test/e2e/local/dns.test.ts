import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { getOver, load, podOf, type Tally } from "../../../scripts/scenario/ask.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { openScenario } from "../../../scripts/scenario/context.ts";
import {
  missingFor,
  missingKubectl,
  prepareCluster,
  processesWith,
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

/** Processes of a pod whose command line holds the text. */
function pidsOf(pod: string, text: string): readonly number[] {
  return processesWith(pod).flatMap((line) => (line.includes(text) ? [Number(line.split(" ")[0])] : []));
}

const QUERY = `
const packet = require("dns-packet");
const [by, name] = process.argv.slice(1);
const question = { type: "query", id: 7, flags: packet.RECURSION_DESIRED, questions: [{ type: "A", name }] };
const done = (message) => { console.log(message.answers.filter(({ type }) => type === "A").map(({ data }) => data).join()); process.exit(); };
if (by === "udp") {
  const socket = require("node:dgram").createSocket("udp4").on("message", (bytes) => done(packet.decode(bytes)));
  socket.send(packet.encode(question), 53, "192.0.2.53");
} else {
  let got = Buffer.alloc(0);
  require("node:net").connect(53, "192.0.2.53", function () { this.write(packet.streamEncode(question)); })
    .on("data", (bytes) => { got = Buffer.concat([got, bytes]); if (got.length > 1 && got.length >= got.readUInt16BE(0) + 2) done(packet.streamDecode(got)); });
}
setTimeout(() => { console.error("no answer"); process.exit(1); }, 10000).unref();
`;

/** Addresses of a name by a query from the network namespace of a process; nobody listens at the server that is asked. */
async function query(pid: number, by: string, name: string): Promise<string> {
  const words = ["-t", String(pid), "-n", process.execPath, "-e", QUERY, by, name];
  return (await promisify(execFile)("nsenter", words)).stdout.trim();
}

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

    test("UDP and TCP queries get the same answer, from a server that there is not", async () => {
      const { name } = (await podOf(scenario, NS, "client")).metadata;
      const [pid = 0] = pidsOf(name, "mesh-agent");
      const answers = await Promise.all(["udp", "tcp"].map((by) => query(pid, by, "accounts.bank.internal")));
      expect(answers[0]).toMatch(/^240\.240\./);
      expect(answers[1]).toBe(answers[0]);
      expect(await query(pid, "tcp", `ledger.${NS}.svc.cluster.local`)).toBe("");
    });

    test("meshd and the agent show the names that queries are answered from", async () => {
      const { name } = (await podOf(scenario, NS, "client")).metadata;
      const istiod = (await podOf(scenario, "istio-system", "istiod")).metadata.name;
      const shown = async (pod: string, namespace: string, port: number, path: string): Promise<unknown> => {
        const stream = await scenario.cluster.portForward({ namespace, pod, port });
        return JSON.parse((await getOver(stream, path)).body);
      };
      const atMeshd = await shown(istiod, "istio-system", 15014, `/debug/ndsz?proxyID=${name}.${NS}`);
      expect(atMeshd).toMatchObject({ table: { "accounts.bank.internal": { registry: "External" } } });
      expect(await shown(name, NS, 15020, "/debug/ndsz")).toEqual(atMeshd);
    });

    test("a crash of Envoy in the pod: the next one serves, with no container restarted", async () => {
      const { name } = (await podOf(scenario, NS, "ledger")).metadata;
      const [envoy = 0] = pidsOf(name, "envoy-rev.json");
      process.kill(envoy, "SIGSEGV");
      await waitFor(() => pidsOf(name, "envoy-rev.json").some((pid) => pid !== envoy), { what: "another Envoy" });
      await waitFor(async () => Object.keys((await dial("accounts.bank.internal:9100")).error).length === 0, {
        what: "an answer from behind the new Envoy",
        timeoutMs: 20_000,
      });
      const { containerStatuses = [] } = (await podOf(scenario, NS, "ledger")).status as {
        containerStatuses?: readonly { restartCount: number }[];
      };
      expect(containerStatuses.map(({ restartCount }) => restartCount)).toEqual(containerStatuses.map(() => 0));
      expect(containerStatuses.length).toBeGreaterThan(0);
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
