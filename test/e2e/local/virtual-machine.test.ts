import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { load, podIp, podOf } from "../../../scripts/scenario/ask.ts";
import { openScenario, type Scenario } from "../../../scripts/scenario/context.ts";
import type { KindTypes } from "../../../src/resources/kinds.ts";
import { missingFor, prepareCluster, realEnvoy, type TestCluster } from "../../support/local/cluster.ts";
import { AGENT_UID, APP_UID, NAMESPACE } from "../../support/local/estate.ts";
import {
  AGENT,
  createMachine,
  installFiles,
  installProgram,
  type Machine,
  type MachineProcess,
  readEnvironment,
} from "../../support/local/vm.ts";
import { waitFor } from "../../support/wait.ts";

// A machine outside the cluster joins the mesh by the files that meshctl writes for it, serves under its own identity, is left
// out while its application is not well, and is gone from the mesh soon after it has gone.

/** What the machine serves: its health is a file, and it remembers who asked. */
const PROGRAM = `
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
createServer((request, response) => {
  if (request.url === "/healthy") return response.writeHead(existsSync("unwell") ? 503 : 200).end();
  writeFileSync("tmp/last-caller", String(request.headers["x-forwarded-client-cert"]));
  response.writeHead(200, { "content-type": "application/json" }).end('{"version":"vm"}');
}).listen(8080, "0.0.0.0");
`;

const OBJECTS = `
apiVersion: v1
kind: Namespace
metadata: { name: ${NAMESPACE}, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: database, namespace: ${NAMESPACE} }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: client, namespace: ${NAMESPACE} }
---
apiVersion: v1
kind: Service
metadata: { name: client, namespace: ${NAMESPACE} }
spec: { selector: { app: client }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: database, namespace: ${NAMESPACE} }
spec: { selector: { app: database }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: client, namespace: ${NAMESPACE} }
spec:
  selector: { matchLabels: { app: client } }
  template:
    metadata: { labels: { app: client } }
    spec:
      serviceAccountName: client
      containers:
        - { name: client, image: meshctl/samples, args: [--role, client], ports: [{ containerPort: 8080 }] }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: ${NAMESPACE} }
spec: { mtls: { mode: STRICT } }
`;

const PROBE = `
  probe:
    periodSeconds: 1
    failureThreshold: 2
    httpGet: { path: /healthy, port: 8080 }
`;

const reason = missingFor("netns");
const skip = reason !== undefined && process.env["CI"] !== "true";
let cluster: TestCluster;
let scenario: Awaited<ReturnType<typeof openScenario>>;
let machine: Machine;
let agent: MachineProcess;

beforeAll(async () => {
  if (skip) return;
  expect(reason).toBeUndefined();
  cluster = await prepareCluster({ envoy: await realEnvoy() });
  await cluster.meshctl("up", "--network", "netns");
  scenario = await openScenario(cluster.kubeconfig, () => undefined);
  await cluster.meshctl("install", "--profile", "minimal", "-y");
  await cluster.apply(OBJECTS);
  const group = await cluster.meshctl(
    ...`workload group create --name database -n ${NAMESPACE} -l app=database -p http=8080 -s database`.split(" "),
  );
  await cluster.apply(group.replace(/^spec:$/m, `spec:${PROBE.trimEnd()}`));
});
afterAll(async () => {
  await machine?.remove();
  await scenario?.close();
  await cluster?.remove();
});

const entries = async (): Promise<readonly KindTypes["WorkloadEntry"][]> => {
  const kind = { apiVersion: "networking.istio.io/v1", kind: "WorkloadEntry" };
  return (await scenario.cluster.list(kind, { namespace: NAMESPACE })) as readonly KindTypes["WorkloadEntry"][];
};
const healthOf = async (): Promise<string | undefined> =>
  (await entries())[0]?.status?.conditions?.find(({ type }) => type === "Healthy")?.status;
const ask = async (): Promise<Readonly<Record<string, number>>> => {
  const url = `http://database.${NAMESPACE}/`;
  return (await load(scenario, { namespace: NAMESPACE, app: "client" }, { url, requests: 3 })).status;
};
/** The agent as its unit starts it. */
const startAgent = (): MachineProcess => {
  const env = readEnvironment(readFileSync(join(machine.root, "var/lib/istio/envoy/cluster.env"), "utf8"));
  const kept = { OUTPUT_CERTS: "./etc/certs", PROV_CERT: "./etc/certs" };
  const more = { ...kept, MESHCTL_ENVOY: join(cluster.home, "envoy") };
  return machine.start(AGENT_UID, { ...env, ...more }, ...AGENT, "proxy", "sidecar", "--concurrency", "1");
};

async function clientIsReady(of: Scenario): Promise<boolean> {
  const { status } = await podOf(of, NAMESPACE, "client");
  const { conditions = [] } = status as { conditions?: readonly { type: string; status: string }[] };
  return conditions.some(({ type, status: value }) => type === "Ready" && value === "True");
}

test.skipIf(skip)("a machine joins by the files that meshctl wrote for it", async () => {
  const istiod = podIp(
    (
      await scenario.cluster.list(
        { apiVersion: "v1", kind: "Pod" },
        { namespace: "istio-system", labelSelector: "app=istiod" },
      )
    )[0]!,
  );
  const more = { hostname: "vm-1", resolvConf: "nameserver 192.0.2.53\n" };
  machine = await createMachine(cluster.state().process.pid, "10.9.213", more);
  const folder = join(cluster.home, "vm");
  const line = `workload entry configure --name database -n ${NAMESPACE} --autoregister --ingressIP ${istiod} -o ${folder}`;
  expect(await cluster.meshctl(...line.split(" "))).toContain("lets its bearer join as estate/database");
  installFiles(machine, folder);
  machine.run("install", "-d", "-m", "777", "tmp");
  machine.start(APP_UID, {}, process.execPath, installProgram(machine, "app.mjs", PROGRAM));
  const env = readEnvironment(readFileSync(join(folder, "cluster.env"), "utf8"));
  const rules = `istio-iptables -p 15001 -z 15006 -u 1337 -m REDIRECT -i ${env["ISTIO_SERVICE_CIDR"]} -x  -b ${env["ISTIO_INBOUND_PORTS"]} -d ${env["ISTIO_LOCAL_EXCLUDE_PORTS"]}`;
  machine.run("env", `ISTIO_META_DNS_CAPTURE=${env["ISTIO_META_DNS_CAPTURE"]}`, ...AGENT, ...rules.split(" "));
  agent = startAgent();
  await waitFor(async () => (await healthOf()) === "True", { what: "a healthy WorkloadEntry", timeoutMs: 60_000 });
  const [entry] = await entries();
  expect(entry?.metadata.name).toBe(`database-${machine.ip}`);
  expect(entry?.spec).toMatchObject({ address: machine.ip, serviceAccount: "database", labels: { app: "database" } });
});

test.skipIf(skip)("it serves a request of the mesh under its own identity, and knows the caller's", async () => {
  await waitFor(() => clientIsReady(scenario), { what: "the client", timeoutMs: 60_000 });
  await waitFor(async () => (await ask())["200"] === 3, { what: "answers from the machine", timeoutMs: 20_000 });
  const caller = readFileSync(join(machine.root, "tmp/last-caller"), "utf8");
  expect(caller).toContain(`By=spiffe://cluster.local/ns/${NAMESPACE}/sa/database`);
  expect(caller).toContain(`URI=spiffe://cluster.local/ns/${NAMESPACE}/sa/client`);
});

test.skipIf(skip)("it calls the mesh by names that its agent answers, under its own identity", async () => {
  // Nobody is at the name server that the machine has.
  const ask = `
    const { get } = require("node:http");
    get("http://client/healthz", (answer) => answer.on("data", (text) => console.log(String(text)))).on("error", (error) => console.log(error.message));
  `;
  const called = async (): Promise<string> => {
    const caller = machine.start(APP_UID, {}, process.execPath, "-e", ask);
    await caller.exited;
    return caller.output();
  };
  const identity = `"caller":"spiffe://cluster.local/ns/${NAMESPACE}/sa/database"`;
  await waitFor(async () => (await called()).includes(identity), {
    what: "an answer to the machine",
    timeoutMs: 20_000,
  });
});

test.skipIf(skip)("while its application is not well it gets no traffic", async () => {
  writeFileSync(join(machine.root, "unwell"), "");
  await waitFor(async () => (await healthOf()) === "False", { what: "an unhealthy WorkloadEntry", timeoutMs: 20_000 });
  await waitFor(async () => (await ask())["503"] === 3, { what: "no endpoint", timeoutMs: 10_000 });
  rmSync(join(machine.root, "unwell"));
  await waitFor(async () => (await healthOf()) === "True", { what: "a healthy WorkloadEntry", timeoutMs: 20_000 });
  await waitFor(async () => (await ask())["200"] === 3, { what: "answers from the machine", timeoutMs: 10_000 });
});

test.skipIf(skip)(
  "a restarted agent comes back by its certificate, with a token that is worth nothing, to the same entry",
  async () => {
    const [before] = await entries();
    agent.process.kill("SIGTERM");
    await agent.exited;
    writeFileSync(join(machine.root, "var/run/secrets/tokens/istio-token"), "expired");
    agent = startAgent();
    await waitFor(async () => (await ask().catch(() => ({ "200": 0 })))["200"] === 3, {
      what: "answers from the machine",
      timeoutMs: 30_000,
    });
    expect((await entries()).map(({ metadata }) => metadata.uid)).toEqual([before?.metadata.uid]);
  },
);

const [ANALYZE] = ["systemd-analyze"] as const;
const hasSystemd = spawnSync(ANALYZE, ["--version"]).status === 0;

test.skipIf(skip || (!hasSystemd && process.env["CI"] !== "true"))("systemd takes the unit without a remark", () => {
  const unit = readFileSync("images/mesh-agent.service", "utf8");
  const program = join(cluster.home, "mesh-agent");
  writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
  const verify = (text: string): { readonly status: number | null; readonly said: string } => {
    const file = join(cluster.home, "mesh-agent.service");
    writeFileSync(file, text.replaceAll("/usr/local/bin/mesh-agent", program));
    const { status, stderr } = spawnSync(ANALYZE, ["verify", "--man=no", file], { encoding: "utf8" });
    return { status, said: stderr };
  };
  expect(verify(unit)).toEqual({ status: 0, said: "" });
  expect(verify(unit.replace("KillMode=mixed", "KillMode=some")).said).toContain("kill mode");
  // what the unit's command line takes from its environment is what meshctl writes there
  const env = readEnvironment(readFileSync(join(cluster.home, "vm/cluster.env"), "utf8"));
  const used = [...unit.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name ?? "");
  expect(used.length).toBeGreaterThan(0);
  for (const name of used) expect(env[name], name).toMatch(/./);
});

test.skipIf(skip)("when it leaves, its entry goes", async () => {
  agent.process.kill("SIGTERM");
  await agent.exited;
  await waitFor(async () => (await entries()).length === 0, { what: "no WorkloadEntry", timeoutMs: 40_000 });
  expect(await ask()).toEqual({ "503": 3 });
});
