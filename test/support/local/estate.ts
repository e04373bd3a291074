import { execFileSync, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { load, podIp, podOf, type Tally } from "../../../scripts/scenario/ask.ts";
import { openScenario, type Scenario } from "../../../scripts/scenario/context.ts";
import type { KindTypes } from "../../../src/resources/kinds.ts";
import { prepareCluster, realEnvoy, type TestCluster } from "./cluster.ts";
import {
  AGENT,
  createMachine,
  installFiles,
  installProgram,
  type Machine,
  type MachineProcess,
  readEnvironment,
} from "./vm.ts";

const repository = join(import.meta.dirname, "../../..");
/** Where the tests' name server finds how messages are read. */
export const DNS_PACKET = createRequire(import.meta.url).resolve("dns-packet");
/** A pod that sends what it is told. */
export const CLIENT = { namespace: "estate", app: "client" };
/** Namespace of the machines and of what they call. */
export const NAMESPACE = "estate";
/** Who runs the agent, and who the application. */
export const [AGENT_UID, APP_UID] = [1337, 1000] as const;
/** How long entries outlive their machine: enough for an agent that is started anew on a busy one. */
export const GRACE_SECONDS = 12;

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

type WorkloadEntry = KindTypes["WorkloadEntry"];

/** A machine of the group, with its agent. */
export interface Host {
  readonly name: string;
  readonly machine: Machine;
  /** The agent's program: one machine has the packed one, with its own Node and Envoy. */
  readonly program: readonly string[];
  agent: MachineProcess;
}

/** A mesh with machines on a network of their own. */
export interface Estate {
  readonly cluster: TestCluster;
  readonly scenario: Scenario;
  readonly hosts: readonly Host[];
  entries(): Promise<readonly WorkloadEntry[]>;
  /** Addresses of the machines that are well. */
  healthy(): Promise<readonly string[]>;
  uids(): Promise<readonly (string | undefined)[]>;
  /** Requests to the machines by a pod. */
  ask(requests: number, path?: string, more?: Readonly<Record<string, number>>): Promise<Tally>;
  /** The agent as its unit starts it, with certificates that are renewed every quarter of a minute. */
  start(host: Pick<Host, "machine" | "program">): MachineProcess;
  close(): Promise<void>;
}

/** Makes all of it. Needs root. */
export async function openEstate(): Promise<Estate> {
  const cluster = await prepareCluster({ envoy: await realEnvoy() });
  await cluster.meshctl("up", "--network", "netns");
  const scenario = await openScenario(cluster.kubeconfig, () => undefined);
  await install(cluster);
  const dns = [join(import.meta.dirname, "corp-dns.cjs"), DNS_PACKET, "intranet.corp.example=192.0.2.77"];
  const node = ["--target", `${cluster.state().process.pid}`, "--net"];
  const nameServer = spawn("nsenter", [...node, process.execPath, ...dns], { stdio: "ignore" });
  const start: Estate["start"] = (host) => startAgent(cluster, host);
  const hosts: Host[] = [];
  for (const [index, name] of ["vm-a", "vm-b", "vm-c"].entries()) {
    const machine = await makeMachine({ cluster, scenario }, name, `10.9.${221 + index}`);
    const program = name === "vm-c" ? unpackAgent(cluster, machine) : AGENT;
    hosts.push({ name, machine, program, agent: start({ machine, program }) });
  }
  const entries = async (): Promise<readonly WorkloadEntry[]> => {
    const kind = { apiVersion: "networking.istio.io/v1", kind: "WorkloadEntry" };
    return (await scenario.cluster.list(kind, { namespace: NAMESPACE })) as readonly WorkloadEntry[];
  };
  return {
    cluster,
    scenario,
    hosts,
    start,
    entries,
    healthy: async () => (await entries()).flatMap((entry) => (isWell(entry) ? [entry.spec?.address ?? ""] : [])),
    uids: async () => (await entries()).map(({ metadata }) => metadata.uid),
    ask: (requests, path = "/", more = {}) =>
      load(scenario, CLIENT, { url: `http://database.${NAMESPACE}${path}`, requests, ...more }),
    async close() {
      for (const { machine } of hosts) await machine.remove();
      nameServer.kill();
      await scenario.close();
      await cluster.remove();
    },
  };
}

function isWell({ status }: WorkloadEntry): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === "Healthy" && value === "True") === true;
}

async function install(cluster: TestCluster): Promise<void> {
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
}

function environmentOf({ root }: Machine): Readonly<Record<string, string>> {
  return readEnvironment(readFileSync(join(root, "var/lib/istio/envoy/cluster.env"), "utf8"));
}

function startAgent(cluster: TestCluster, { machine, program }: Pick<Host, "machine" | "program">): MachineProcess {
  const kept = { OUTPUT_CERTS: "./etc/certs", PROV_CERT: "./etc/certs" };
  const short = { SECRET_TTL: "60s", SECRET_GRACE_PERIOD_RATIO: "0.75" };
  const envoy = program === AGENT ? { MESHCTL_ENVOY: join(cluster.home, "envoy") } : {};
  const env = { ...environmentOf(machine), ...kept, ...short, ...envoy };
  return machine.start(AGENT_UID, env, ...program, "proxy", "sidecar", "--concurrency", "1");
}

/** The archive for machines, unpacked in this one's root directory. */
function unpackAgent(cluster: TestCluster, machine: Machine): readonly string[] {
  const archive = join(cluster.home, "mesh-agent.tar.gz");
  const pack = [join(repository, "images/machine.mjs"), "--out", archive];
  execFileSync(process.execPath, pack, {
    env: { ...process.env, MESHCTL_ENVOY: join(cluster.home, "envoy") },
    stdio: "pipe",
  });
  execFileSync("tar", ["-xzf", archive, "-C", machine.root]);
  return [join(machine.root, "usr/local/bin/mesh-agent")];
}

/** Serial number of the certificate that its agent holds. */
export function serialOf({ machine }: Host): string {
  return new X509Certificate(readFileSync(join(machine.root, "etc/certs/cert-chain.pem"))).serialNumber;
}

/** A machine's program to its end; its output. Runs as a user whose traffic is captured. */
export async function onMachine({ machine }: Host, ...argv: readonly string[]): Promise<string> {
  const running = machine.start(APP_UID, {}, ...argv);
  await running.exited;
  return running.output().trim();
}

/** Requests that a machine's application sends. */
export async function callFrom(host: Host, url: string, requests = 5): Promise<Tally> {
  const client = join(repository, "samples/app/client.mjs");
  const told = await onMachine(host, process.execPath, client, "--url", url, "--requests", `${requests}`);
  return JSON.parse(told) as Tally;
}

/** The two networks have nothing in common but the gateway. What a program sends is captured before these rules are asked. */
async function separate(scenario: Scenario, machine: Machine): Promise<void> {
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

async function makeMachine(
  { cluster, scenario }: Pick<Estate, "cluster" | "scenario">,
  name: string,
  subnet: string,
): Promise<Machine> {
  const resolvConf = `nameserver ${subnet}.1\nsearch corp.example\n`;
  const machine = await createMachine(cluster.state().process.pid, subnet, { hostname: name, resolvConf });
  await separate(scenario, machine);
  const folder = join(cluster.home, name);
  const line = `workload entry configure --name database -n ${NAMESPACE} --autoregister -o ${folder}`;
  await cluster.meshctl(...line.split(" "));
  installFiles(machine, folder);
  machine.run("install", "-d", "-m", "777", "tmp");
  machine.start(APP_UID, {}, process.execPath, installProgram(machine, "app.mjs", PROGRAM));
  const env = environmentOf(machine);
  const rules = `istio-iptables -p 15001 -z 15006 -u 1337 -m REDIRECT -i ${env["ISTIO_SERVICE_CIDR"]} -x  -b ${env["ISTIO_INBOUND_PORTS"]} -d ${env["ISTIO_LOCAL_EXCLUDE_PORTS"]}`;
  machine.run("env", `ISTIO_META_DNS_CAPTURE=${env["ISTIO_META_DNS_CAPTURE"]}`, ...AGENT, ...rules.split(" "));
  return machine;
}
