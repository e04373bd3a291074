import { type ChildProcess, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { load, podIp, podOf, podsOf, type Tally } from "../../../scripts/scenario/ask.ts";
import { openScenario } from "../../../scripts/scenario/context.ts";
import type { KindTypes } from "../../../src/resources/kinds.ts";
import { missingFor, prepareCluster, realEnvoy, type TestCluster } from "../../support/local/cluster.ts";
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

// Three machines of one WorkloadGroup on a network of their own: no pod can be reached from there, only the gateway between the
// networks, by which they come to the control plane (two replicas) and to the services of the mesh. Needs root.

const repository = join(import.meta.dirname, "../../..");
const NAMESPACE = "estate";
const [AGENT_UID, APP_UID] = [1337, 1000] as const;
/** Long enough for an agent that is started anew on a busy machine. */
const GRACE_SECONDS = 12;

/** What a machine serves: its health is a file, and every answer names it and who asked. */
const PROGRAM = `
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { hostname } from "node:os";
createServer({ keepAliveTimeout: 4_000_000 }, (request, response) => {
  if (request.url === "/healthy") {
    const isRight = request.headers["x-asked-by"] === "the agent" && !existsSync("unwell");
    return response.writeHead(isRight ? 200 : 503).end(isRight ? "" : "unwell");
  }
  const body = JSON.stringify({ version: hostname(), caller: request.headers["x-forwarded-client-cert"] });
  const answer = () => response.writeHead(200, { "content-type": "application/json" }).end(body);
  if (request.url !== "/slow") return answer();
  writeFileSync("tmp/slow", "");
  setTimeout(answer, 4_000);
}).listen(8080, "0.0.0.0");
`;

const deployment = (name: string, role: string, port: number): string => `
apiVersion: v1
kind: ServiceAccount
metadata: { name: ${name}, namespace: ${NAMESPACE} }
---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${NAMESPACE} }
spec: { selector: { app: ${name} }, ports: [{ name: http, port: 80, targetPort: ${port} }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: ${NAMESPACE} }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      serviceAccountName: ${name}
      containers:
        - { name: ${name}, image: meshctl/samples, args: [--role, ${role}], ports: [{ containerPort: ${port} }] }
---`;

const OBJECTS = `
apiVersion: v1
kind: ServiceAccount
metadata: { name: database, namespace: ${NAMESPACE} }
---
apiVersion: v1
kind: Service
metadata: { name: database, namespace: ${NAMESPACE} }
spec: { selector: { app: database }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---${deployment("client", "client", 8080)}${deployment("catalog", "catalog", 8000)}
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: stock, namespace: ${NAMESPACE} }
spec:
  hosts: [stock.mesh.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ number: 9100, name: http, protocol: HTTP, targetPort: 8000 }]
  workloadSelector: { labels: { app: catalog } }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: ${NAMESPACE} }
spec: { mtls: { mode: STRICT } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: catalog, namespace: ${NAMESPACE} }
spec:
  selector: { matchLabels: { app: catalog } }
  rules: [{ from: [{ source: { principals: [cluster.local/ns/${NAMESPACE}/sa/database] } }] }]
`;

/** The control plane in two replicas, and a gateway between the networks that shows its port. */
const SETTINGS = `
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  profile: minimal
  components:
    ingressGateways:
      - name: istio-eastwestgateway
        enabled: true
        label: { app: istio-eastwestgateway, istio: eastwestgateway, topology.istio.io/network: site }
        k8s:
          env: [{ name: ISTIO_META_REQUESTED_NETWORK_VIEW, value: site }]
          service:
            ports:
              - { name: status-port, port: 15021, targetPort: 15021 }
              - { name: tls, port: 15443, targetPort: 15443 }
              - { name: tls-istiod, port: 15012, targetPort: 15012 }
  values:
    global: { network: site }
    pilot:
      autoscaleEnabled: false
      replicaCount: 2
      env: { PILOT_WORKLOAD_ENTRY_GRACE_PERIOD: ${GRACE_SECONDS}s }
`;

const PROBE = `
  probe:
    periodSeconds: 1
    failureThreshold: 2
    httpGet: { path: /healthy, port: 8080, scheme: HTTP, httpHeaders: [{ name: x-asked-by, value: the agent }] }
`;

const reason = missingFor("netns");
const skip = reason !== undefined && process.env["CI"] !== "true";
let cluster: TestCluster;
let scenario: Awaited<ReturnType<typeof openScenario>>;
let nameServer: ChildProcess;

interface Host {
  readonly name: string;
  readonly machine: Machine;
  agent: MachineProcess;
}
const hosts: Host[] = [];
const CLIENT = { namespace: NAMESPACE, app: "client" };

const entries = async (): Promise<readonly KindTypes["WorkloadEntry"][]> => {
  const kind = { apiVersion: "networking.istio.io/v1", kind: "WorkloadEntry" };
  return (await scenario.cluster.list(kind, { namespace: NAMESPACE })) as readonly KindTypes["WorkloadEntry"][];
};
const healthy = async (): Promise<readonly string[]> =>
  (await entries()).flatMap(({ spec, status }) =>
    status?.conditions?.some(({ type, status: value }) => type === "Healthy" && value === "True") === true
      ? [spec?.address ?? ""]
      : [],
  );
const uids = async (): Promise<readonly (string | undefined)[]> =>
  (await entries()).map(({ metadata }) => metadata.uid);
const ask = (requests: number, path = "/", more: Readonly<Record<string, number>> = {}): Promise<Tally> =>
  load(scenario, CLIENT, { url: `http://database.${NAMESPACE}${path}`, requests, ...more });

/** A machine's program to its end; its output. Runs as a user whose traffic is captured. */
async function onMachine({ machine }: Host, ...argv: readonly string[]): Promise<string> {
  const running = machine.start(APP_UID, {}, ...argv);
  await running.exited;
  return running.output().trim();
}

/** Requests that a machine's application sends. */
async function call(host: Host, url: string, requests = 5): Promise<Tally> {
  const client = join(repository, "samples/app/client.mjs");
  return JSON.parse(
    await onMachine(host, process.execPath, client, "--url", url, "--requests", `${requests}`),
  ) as Tally;
}

const environmentOf = ({ machine }: Pick<Host, "machine">): Readonly<Record<string, string>> =>
  readEnvironment(readFileSync(join(machine.root, "var/lib/istio/envoy/cluster.env"), "utf8"));

/** The agent as its unit starts it, with certificates that are renewed every quarter of a minute. */
function startAgent(host: Pick<Host, "machine">): MachineProcess {
  const kept = { OUTPUT_CERTS: "./etc/certs", PROV_CERT: "./etc/certs" };
  const short = { SECRET_TTL: "60s", SECRET_GRACE_PERIOD_RATIO: "0.75" };
  const more = { ...kept, ...short, MESHCTL_ENVOY: join(cluster.home, "envoy") };
  return host.machine.start(
    AGENT_UID,
    { ...environmentOf(host), ...more },
    ...AGENT,
    "proxy",
    "sidecar",
    "--concurrency",
    "1",
  );
}

const serialOf = ({ machine }: Host): string =>
  new X509Certificate(readFileSync(join(machine.root, "etc/certs/cert-chain.pem"))).serialNumber;

/** The two networks have nothing in common but the gateway. What a program sends is captured before these rules are asked. */
async function separate(machine: Machine): Promise<void> {
  const gateway = (await scenario.cluster.get({
    apiVersion: "v1",
    kind: "Service",
    namespace: "istio-system",
    name: "istio-eastwestgateway",
  })) as { spec?: { clusterIP?: string } } | undefined;
  const pod = podIp(await podOf(scenario, NAMESPACE, "client"));
  const range = (address: string): string => address.replace(/\.\d+\.\d+$/, ".0.0/16");
  const address = gateway?.spec?.clusterIP ?? "";
  const output = (...rule: readonly string[]): string => machine.run("iptables", "-A", "OUTPUT", ...rule);
  output("-d", address, "-j", "ACCEPT");
  for (const net of [range(pod), range(address)])
    output("-d", net, "-m", "conntrack", "--ctstate", "NEW", "-j", "REJECT");
}

async function join_(name: string, subnet: string): Promise<Host> {
  const resolvConf = `nameserver ${subnet}.1\nsearch corp.example\n`;
  const machine = await createMachine(cluster.state().process.pid, subnet, { hostname: name, resolvConf });
  await separate(machine);
  const folder = join(cluster.home, name);
  const line = `workload entry configure --name database -n ${NAMESPACE} --autoregister -o ${folder}`;
  await cluster.meshctl(...line.split(" "));
  installFiles(machine, folder);
  machine.run("install", "-d", "-m", "777", "tmp");
  machine.start(APP_UID, {}, process.execPath, installProgram(machine, "app.mjs", PROGRAM));
  const env = environmentOf({ machine });
  const rules = `istio-iptables -p 15001 -z 15006 -u 1337 -m REDIRECT -i ${env["ISTIO_SERVICE_CIDR"]} -x  -b ${env["ISTIO_INBOUND_PORTS"]} -d ${env["ISTIO_LOCAL_EXCLUDE_PORTS"]}`;
  machine.run("env", "ISTIO_META_DNS_CAPTURE=true", ...AGENT, ...rules.split(" "));
  return { name, machine, agent: startAgent({ machine }) };
}

beforeAll(async () => {
  if (skip) return;
  expect(reason).toBeUndefined();
  cluster = await prepareCluster({ envoy: await realEnvoy() });
  await cluster.meshctl("up", "--network", "netns");
  scenario = await openScenario(cluster.kubeconfig, () => undefined);
  await cluster.kubectl("create", "namespace", "istio-system");
  await cluster.kubectl("label", "namespace", "istio-system", "topology.istio.io/network=site");
  const settings = join(cluster.home, "settings.yaml");
  writeFileSync(settings, SETTINGS);
  await cluster.meshctl("install", "-y", "-f", settings);
  await cluster.kubectl("create", "namespace", NAMESPACE);
  await cluster.kubectl("label", "namespace", NAMESPACE, "istio-injection=enabled");
  for (const sample of ["gateway.yaml", "expose-istiod.yaml"])
    await cluster.apply(readFileSync(join(repository, "samples/several-clusters", sample), "utf8"));
  await cluster.apply(OBJECTS);
  const group = await cluster.meshctl(
    ..."workload group create --name database -l app=database -p http=8080 -s database --network machines".split(" "),
    ...`-a team=data -n ${NAMESPACE}`.split(" "),
  );
  await cluster.apply(group.replace(/^spec:$/m, `spec:${PROBE.trimEnd()}`));
  await cluster.kubectl("-n", NAMESPACE, "wait", "--for=condition=Available", "--timeout=120s", "deploy", "--all");
  const words = [
    join(import.meta.dirname, "../../support/local/corp-dns.cjs"),
    createRequire(import.meta.url).resolve("dns-packet"),
  ];
  const node = ["--target", `${cluster.state().process.pid}`, "--net"];
  nameServer = spawn("nsenter", [...node, process.execPath, ...words, "intranet.corp.example=192.0.2.77"]);
  for (const [index, name] of ["vm-a", "vm-b", "vm-c"].entries()) hosts.push(await join_(name, `10.9.${221 + index}`));
}, 300_000);
afterAll(async () => {
  for (const { machine } of hosts) await machine.remove();
  nameServer?.kill();
  await scenario?.close();
  await cluster?.remove();
});

test.skipIf(skip)("each machine registers, by the gateway between the networks, and says that it is well", async () => {
  await waitFor(async () => (await healthy()).length === 3, { what: "three healthy entries", timeoutMs: 90_000 });
  for (const { name, machine } of hosts) {
    expect(readFileSync(join(machine.root, "etc/hosts"), "utf8")).toMatch(
      /^10\.\d+\.\d+\.\d+ istiod\.istio-system\.svc$/m,
    );
    const entry = (await entries()).find(({ spec }) => spec?.address === machine.ip);
    expect(entry, name).toMatchObject({
      metadata: {
        name: `database-${machine.ip}-machines`,
        labels: { app: "database" },
        annotations: {
          team: "data",
          "istio.io/autoRegistrationGroup": "database",
          "istio.io/workloadController": expect.stringMatching(/^istiod-/),
          "istio.io/connectedAt": expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
          "proxy.istio.io/health-checks-enabled": "true",
        },
        ownerReferences: [{ kind: "WorkloadGroup", name: "database" }],
      },
      spec: { network: "machines", serviceAccount: "database", ports: { http: 8080 } },
    });
  }
  const status = await cluster.meshctl("proxy-status");
  for (const { name } of hosts) expect(status).toContain(`${name}.${NAMESPACE}`);
});

test.skipIf(skip)("calls of the mesh are spread over them, each under the account's identity", async () => {
  await waitFor(async () => Object.keys((await ask(12)).version).length === 3, {
    what: "answers of all",
    timeoutMs: 30_000,
  });
  const { status, version } = await ask(150, "/", { concurrency: 4 });
  expect(status).toEqual({ 200: 150 });
  for (const { name } of hosts) expect(version[name], name).toBeGreaterThan(25);
});

test.skipIf(skip)(
  "a machine reaches no pod, and calls services through the gateway alone, by its account's right",
  async () => {
    const [host] = hosts as [Host];
    const server = podIp(await podOf(scenario, NAMESPACE, "catalog"));
    const dial = `const s = require("node:net").connect(15006, "${server}"); s.on("connect", () => { console.log("reached"); s.destroy(); }).on("error", (e) => console.log(e.code))`;
    // the proxy's own user: nothing leads it through the proxy
    const direct = host.machine.start(AGENT_UID, {}, process.execPath, "-e", dial);
    await direct.exited;
    expect(direct.output().trim()).toBe("ECONNREFUSED");
    await waitFor(async () => (await call(host, `http://catalog.${NAMESPACE}/items`)).status["200"] === 5, {
      what: "answers from the mesh",
      timeoutMs: 30_000,
    });
    const clusters = host.machine.run(...AGENT, "request", "GET", "clusters");
    const ways = clusters.split("\n").filter((line) => line.startsWith(`outbound|80||catalog.${NAMESPACE}.`));
    const addresses = new Set(ways.flatMap((line) => /::(\d+\.\d+\.\d+\.\d+:\d+)::/.exec(line)?.[1] ?? []));
    expect([...addresses]).toEqual([expect.stringMatching(/:15443$/)]);
    // another account of the namespace has no right
    const other = await load(scenario, CLIENT, { url: `http://catalog.${NAMESPACE}/items`, requests: 5 });
    expect(other.status).toEqual({ 403: 5 });
  },
);

const LOOKUP = `require("node:dns").lookup(process.argv[1], { all: true, family: 4 }, (e, a) => console.log(e?.code ?? a.map((x) => x.address).join()))`;
const OVER_TCP = `
const packet = require(process.argv[1]);
let got = Buffer.alloc(0);
require("node:net").connect(53, process.argv[2], function () { this.write(packet.streamEncode({ type: "query", id: 7, flags: packet.RECURSION_DESIRED, questions: [{ type: "A", name: process.argv[3] }] })); })
  .on("data", function (bytes) {
    got = Buffer.concat([got, bytes]);
    if (got.length < 2 || got.length < got.readUInt16BE(0) + 2) return;
    console.log(packet.streamDecode(got).answers.filter(({ type }) => type === "A").map(({ data }) => data).join());
    this.destroy();
  });
`;

test.skipIf(skip)(
  "names of the mesh are answered on the machine, all others by the name server of its network",
  async () => {
    const [host] = hosts as [Host];
    const service = (await scenario.cluster.get({
      apiVersion: "v1",
      kind: "Service",
      namespace: NAMESPACE,
      name: "catalog",
    })) as { spec?: { clusterIP?: string } } | undefined;
    const lookup = (name: string): Promise<string> => onMachine(host, process.execPath, "-e", LOOKUP, name);
    for (const name of ["catalog", `catalog.${NAMESPACE}`, `catalog.${NAMESPACE}.svc.cluster.local`])
      expect(await lookup(name), name).toBe(service?.spec?.clusterIP);
    const allocated = await lookup("stock.mesh.local");
    expect(allocated).toMatch(/^240\.240\./);
    expect(await lookup("intranet.corp.example")).toBe("192.0.2.77");
    expect(await lookup("intranet")).toBe("192.0.2.77");
    expect(await lookup("nobody.corp.example")).toMatch(/^ENOTFOUND|^EAI_AGAIN/);
    const path = createRequire(import.meta.url).resolve("dns-packet");
    const server = host.machine.ip.replace(/\d+$/, "1");
    const overTcp = (name: string): Promise<string> =>
      onMachine(host, process.execPath, "-e", OVER_TCP, path, server, name);
    expect(await overTcp("stock.mesh.local")).toBe(allocated);
    expect(await overTcp("intranet.corp.example")).toBe("192.0.2.77");
    // what has an address given is reached by it
    expect((await call(host, "http://stock.mesh.local:9100/items")).status).toEqual({ 200: 5 });
  },
);

test.skipIf(skip)(
  "one that is not well is left out within seconds, loses no running request, and comes back",
  async () => {
    const [host] = hosts as [Host];
    const slow = ask(12, "/slow", { concurrency: 12 });
    await waitFor(() => existsSync(join(host.machine.root, "tmp/slow")), { what: "a running request" });
    writeFileSync(join(host.machine.root, "unwell"), "");
    const from = performance.now();
    const others = async (): Promise<boolean> => {
      const { status, version } = await ask(30);
      expect(status).toEqual({ 200: 30 });
      return version[host.name] === undefined;
    };
    await waitFor(others, { what: "no answer of it", timeoutMs: 10_000 });
    // two failed probes, a second apart, and what it takes to tell
    expect(performance.now() - from).toBeLessThan(5_000);
    const answered = await slow;
    expect(answered.status).toEqual({ 200: 12 });
    expect(answered.version[host.name]).toBeGreaterThan(0);
    const sick = (await entries()).find(({ spec }) => spec?.address === host.machine.ip);
    expect(sick?.status?.conditions).toMatchObject([
      { type: "Healthy", status: "False", message: expect.stringContaining("503: unwell") },
    ]);
    rmSync(join(host.machine.root, "unwell"));
    await waitFor(async () => ((await ask(30)).version[host.name] ?? 0) > 0, {
      what: "its answers again",
      timeoutMs: 10_000,
    });
  },
);

test.skipIf(skip)("an agent is restarted and certificates are renewed under load: no request fails", async () => {
  const [host] = hosts as [Host];
  const before = await uids();
  const serials = hosts.map(serialOf);
  writeFileSync(join(host.machine.root, "var/run/secrets/tokens/istio-token"), "expired");
  const running = load(scenario, CLIENT, {
    url: `http://database.${NAMESPACE}/`,
    seconds: 30,
    rate: 40,
    concurrency: 4,
  });
  host.agent.process.kill("SIGTERM");
  await host.agent.exited;
  host.agent = startAgent(host);
  const { status, requests, error } = await running;
  expect(error).toEqual({});
  expect(status).toEqual({ 200: requests });
  expect(requests).toBeGreaterThan(600);
  for (const [index, each] of hosts.entries()) expect(serialOf(each), each.name).not.toBe(serials[index]);
  await waitFor(async () => (await healthy()).length === 3, { what: "all well again", timeoutMs: 20_000 });
  expect(await uids()).toEqual(before);
});

test.skipIf(skip)(
  "the replica that they are connected to goes, then both: entries stay as they are, no request fails",
  async () => {
    const before = await uids();
    const controllers = async (): Promise<ReadonlySet<string>> =>
      new Set((await entries()).map(({ metadata }) => metadata.annotations?.["istio.io/workloadController"] ?? ""));
    for (const count of [1, 2]) {
      const pods = (await podsOf(scenario, "istio-system", "istiod")).map(({ metadata }) => metadata.name);
      const held = await controllers();
      const going = count === 2 ? pods : pods.filter((name) => held.has(name)).slice(0, 1);
      expect(going).toHaveLength(count);
      const running = load(scenario, CLIENT, {
        url: `http://database.${NAMESPACE}/`,
        seconds: 2 * GRACE_SECONDS,
        rate: 20,
        concurrency: 2,
      });
      await cluster.kubectl("-n", "istio-system", "delete", "pod", "--wait=true", ...going);
      const { status, requests } = await running;
      expect(status).toEqual({ 200: requests });
      await waitFor(async () => [...(await controllers())].every((name) => !going.includes(name)), {
        what: "the entries taken over",
        timeoutMs: 30_000,
      });
      expect(await uids()).toEqual(before);
      expect((await healthy()).length).toBe(3);
    }
  },
);

test.skipIf(skip)(
  "a machine whose power fails is known to have left, and its entry goes after the grace; the others serve",
  async () => {
    const host = hosts.at(-1) as Host;
    const mine = async (): Promise<KindTypes["WorkloadEntry"] | undefined> =>
      (await entries()).find(({ spec }) => spec?.address === host.machine.ip);
    await host.machine.crash();
    await waitFor(async () => (await mine())?.metadata.annotations?.["istio.io/disconnectedAt"] !== undefined, {
      what: "a time of leaving",
      timeoutMs: 20_000,
    });
    expect((await mine())?.metadata.annotations).not.toHaveProperty(["istio.io/connectedAt"]);
    await waitFor(async () => (await mine()) === undefined, { what: "no entry", timeoutMs: 40_000 });
    const { status, version } = await ask(40);
    expect(status).toEqual({ 200: 40 });
    expect(version[host.name]).toBeUndefined();
  },
);
