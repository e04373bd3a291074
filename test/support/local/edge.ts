import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createMachine, AGENT, installFiles, type Machine, readEnvironment } from "./vm.ts";
import { AGENT_UID, type Estate, NAMESPACE } from "./estate.ts";
import { podIp, podOf } from "../../../scripts/scenario/ask.ts";

/** The port of gateways between networks. */
const PORT = 15_443;

const OBJECTS = `
apiVersion: v1
kind: ServiceAccount
metadata: { name: edge, namespace: ${NAMESPACE} }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge, namespace: ${NAMESPACE} }
spec:
  selector: { app: edge }
  servers:
    - port: { number: ${PORT}, name: tls, protocol: TLS }
      tls: { mode: AUTO_PASSTHROUGH }
      hosts: ["*.local"]
---
# the gateway chooses a machine for each connection
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: database, namespace: ${NAMESPACE} }
spec:
  host: database
  trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1 } } }
`;

/** A gateway of the machines' own network, on a machine. */
export interface Edge {
  /** Where it is reached: address and port. */
  readonly place: string;
  readonly machine: Machine;
}

/**
 * Puts a gateway before the machines' network: a machine that runs a proxy alone, named in `meshNetworks`. From then on no pod
 * opens a connection to the other machines.
 */
export async function openEdge({ cluster, scenario, hosts }: Estate): Promise<Edge> {
  await cluster.apply(OBJECTS);
  const group = `workload group create --name edge -l app=edge -s edge --network machines -n ${NAMESPACE}`;
  await cluster.apply(await cluster.meshctl(...group.split(" ")));
  const machine = await createMachine(cluster.state().process.pid, "10.9.224", { hostname: "edge" });
  const folder = join(cluster.home, "edge");
  await cluster.meshctl(
    ..."workload entry configure --name edge --autoregister".split(" "),
    "-n",
    NAMESPACE,
    "-o",
    folder,
  );
  installFiles(machine, folder);
  const told = readEnvironment(readFileSync(join(machine.root, "var/lib/istio/envoy/cluster.env"), "utf8"));
  const env = { ...told, MESHCTL_ENVOY: join(cluster.home, "envoy"), ISTIO_META_REQUESTED_NETWORK_VIEW: "machines" };
  machine.start(AGENT_UID, env, ...AGENT, "proxy", "router", "--concurrency", "1");
  const pods = podIp(await podOf(scenario, NAMESPACE, "client")).replace(/\.\d+\.\d+$/, ".0.0/16");
  for (const host of hosts)
    host.machine.run(..."iptables -I INPUT -m conntrack --ctstate NEW -j REJECT -s".split(" "), pods);
  const map = { apiVersion: "v1", kind: "ConfigMap", namespace: "istio-system", name: "istio" };
  const networks = { machines: { gateways: [{ address: machine.ip, port: PORT }] } };
  await scenario.cluster.mergePatch(map, { data: { meshNetworks: JSON.stringify({ networks }) } });
  return { place: `${machine.ip}:${PORT}`, machine };
}
