import { X509Certificate } from "node:crypto";
import { meshConfigOf } from "../../model/mesh-config.ts";
import { REMOTE_SECRET_LABEL } from "../../model/members.ts";
import { type Entrance, entrancesOf, NETWORK_LABEL } from "../../model/network-gateways.ts";
import { trustBundles } from "../../model/trust-bundles.ts";
import { createFixedWorld } from "../../resources/world-fixed.ts";
import { parseYaml } from "../../resources/yaml-plain.ts";
import { category, ok, skipped, verdict } from "../check.ts";
import type { Facts, ShownCertificate } from "../facts.ts";
import { nameOf } from "../names.ts";
import { decoded, pemBlocks } from "../pem.ts";
import { currentRoots } from "../roots.ts";
import type { Shapes } from "../shapes.ts";

type Service = Shapes["Service"];

const ALONE = "the mesh has one cluster";
const NO_NETWORKS = "no gateway leads to another network";

/** Whether the clusters of one mesh can find, trust and reach each other. */
export const severalClusterChecks = category("several-clusters", [
  {
    name: "cluster-names",
    affirmation: "every cluster of the mesh has a name of its own",
    hint: "set values.global.multiCluster.clusterName of each installation, and give create-remote-secret the same --name",
    about:
      "A control plane passes over a remote secret with its own cluster's name, and of two with one name it follows the first: the endpoints of the other are never seen.",
    severity: "error",
    run: async (facts) => {
      const { clusterId = "Kubernetes", others = [] } = facts.context;
      const secrets = await remoteSecrets(facts);
      if (secrets.length === 0 && others.length === 0) return skipped(ALONE);
      const own = secrets
        .filter(({ id }) => id === clusterId)
        .map(({ secret }) => `Secret ${secret} is for ${clusterId}, which is this cluster`);
      const twice = secrets
        .filter(({ id }, index) => secrets.findIndex((other) => other.id === id) < index)
        .map(({ id, secret }) => `Secret ${secret} is for ${id} as well`);
      const same = others
        .filter((other) => other.clusterId === clusterId)
        .map(({ name }) => `context ${name} is ${clusterId} too`);
      return verdict([...own, ...twice, ...same], clusterId);
    },
  },
  {
    name: "remote-addresses",
    affirmation: "API servers of other clusters have an address that pods reach",
    hint: "write the Secret again: meshctl create-remote-secret --server https://ADDRESS:PORT, with an address of that API server on the network",
    about:
      "A kubeconfig on one's own machine often names 127.0.0.1, which in the control plane's pod is the pod itself.",
    severity: "error",
    run: async (facts) => {
      const secrets = await remoteSecrets(facts);
      if (secrets.length === 0) return skipped(ALONE);
      return verdict(
        secrets.flatMap(({ id, secret, server }) =>
          isLocal(server) ? [`Secret ${secret}: ${id} is at ${server}, which only its own machine reaches`] : [],
        ),
      );
    },
  },
  {
    name: "cluster-network",
    affirmation: "where networks have gateways the cluster says which network it is on",
    hint: "kubectl label namespace istio-system topology.istio.io/network=NAME",
    about:
      "Workloads without a network are called straight by everybody, and call everybody straight: across networks nobody answers.",
    severity: "warning",
    run: async (facts) => {
      const everywhere = [facts, ...(facts.context.others ?? []).map((other) => other.facts)];
      const gateways = (await Promise.all(everywhere.map(networkGateways))).flat();
      if (gateways.length === 0) return skipped(NO_NETWORKS);
      const { istioNamespace } = facts.context;
      const namespace = await facts.get("Namespace", "", istioNamespace);
      const network = namespace?.metadata.labels?.[NETWORK_LABEL] ?? "";
      if (network !== "") return ok(network);
      return verdict([`Namespace ${istioNamespace} has no label ${NETWORK_LABEL}`]);
    },
  },
  {
    name: "network-gateway-address",
    affirmation: "gateways between networks have an address",
    hint: "look why the Service has none (kubectl describe service), or give it spec.externalIPs",
    about: "Other networks reach this one at that address alone; without it calls to services here go nowhere.",
    severity: "error",
    run: async (facts) => {
      const gateways = await networkGateways(facts);
      if (gateways.length === 0) return skipped(NO_NETWORKS);
      return verdict(
        gateways
          .filter(({ entrances }) => entrances.length === 0)
          .map(({ service, network }) => `Service ${nameOf(service)} of network ${network}`),
      );
    },
  },
  {
    name: "network-gateway-tls",
    affirmation: "what stands before gateways between networks passes TLS on",
    hint: "let the balancer pass TCP on at port 15443 (of a cloud's: the network kind, without a certificate of its own)",
    about:
      "The name of the service stands in the client's handshake, which ends at the server's own proxy. A balancer that ends TLS shows its own certificate: clients refuse it, and the name is lost.",
    severity: "error",
    run: async (facts) => {
      const shown = facts.context.probes?.shownAt;
      const places = (await networkGateways(facts)).flatMap(({ service, entrances }) =>
        entrances.map(({ address, port }) => ({ service, host: address, port })),
      );
      if (places.length === 0) return skipped(NO_NETWORKS);
      const name = await someName(facts);
      if (shown === undefined || name === undefined)
        return skipped(name === undefined ? "no service of the mesh is behind them" : "it takes a connection");
      const answers = await Promise.all(
        places.map(async ({ service, ...place }) => ({
          service,
          answer: await shown({ ...place, serverName: name, protocols: ["istio"] }),
        })),
      );
      const seen = answers.filter(({ answer }) => answer.certificate !== undefined);
      if (seen.length === 0) return skipped(`none shows a certificate from here: ${answers[0]?.answer.problem ?? ""}`);
      return verdict(seen.flatMap(({ service, answer }) => foreignTls(service, answer)));
    },
  },
  {
    name: "cluster-roots",
    affirmation: "clusters of the mesh trust each other's authorities",
    hint: "make the authorities below one root (meshctl ca create --root FOLDER), or name the other's root in meshConfig.caCertificates of both",
    about:
      "Workloads refuse certificates that lead to no root of theirs: calls over to the other cluster fail in the handshake.",
    severity: "error",
    run: async (facts) => {
      const { others = [] } = facts.context;
      if (others.length === 0) return skipped("no other cluster is named by --remote-contexts");
      const trusted = await trustedHere(facts);
      if (trusted.size === 0) return skipped("there is no authority here yet");
      const problems = await Promise.all(
        others.map(async (other) => {
          const roots = await rootsOf(other.facts);
          return roots.length === 0 || roots.some((root) => trusted.has(fingerprint(root)))
            ? []
            : [`no root of ${other.clusterId ?? other.name} is trusted here`];
        }),
      );
      return verdict(problems.flat());
    },
  },
]);

interface RemoteSecret {
  /** The cluster's name. */
  readonly id: string;
  /** `namespace/name` */
  readonly secret: string;
  /** Address of its API server; empty where the kubeconfig has none that can be read. */
  readonly server: string;
}

async function remoteSecrets(facts: Facts): Promise<readonly RemoteSecret[]> {
  return (await facts.own("Secret"))
    .filter(({ metadata }) => metadata.labels?.[REMOTE_SECRET_LABEL] === "true")
    .flatMap((secret) =>
      Object.entries(secret.data ?? {}).map(([id, value]) => ({
        id,
        secret: nameOf(secret),
        server: serverIn(decoded(value)),
      })),
    );
}

interface Kubeconfig {
  readonly "current-context"?: string;
  readonly contexts?: readonly { readonly name?: string; readonly context?: { readonly cluster?: string } }[];
  readonly clusters?: readonly { readonly name?: string; readonly cluster?: { readonly server?: string } }[];
}

function serverIn(text: string): string {
  try {
    const config = (parseYaml(text) ?? {}) as Kubeconfig;
    const current = config.contexts?.find(({ name }) => name === config["current-context"])?.context?.cluster;
    const found =
      config.clusters?.find(({ name }) => current === undefined || name === current) ?? config.clusters?.[0];
    return found?.cluster?.server ?? "";
  } catch {
    return "";
  }
}

function isLocal(server: string): boolean {
  if (!URL.canParse(server)) return false;
  return /^(localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1\]|\[::\])$/.test(new URL(server).hostname);
}

/** A Service by which other networks come in, and where. */
interface NetworkGateway {
  readonly service: Service;
  readonly network: string;
  readonly entrances: readonly Entrance[];
}

async function networkGateways(facts: Facts): Promise<readonly NetworkGateway[]> {
  const services = (await facts.list("Service")).filter(
    ({ metadata }) => (metadata.labels?.[NETWORK_LABEL] ?? "") !== "",
  );
  const nodes = services.length === 0 ? [] : await facts.list("Node");
  return services.map((service) => ({
    service,
    network: service.metadata.labels?.[NETWORK_LABEL] ?? "",
    entrances: entrancesOf(createFixedWorld([service, ...nodes]), { isOwn: true, named: [] }),
  }));
}

/** A server name as clients of another network send it, of a service with proxies behind it. */
async function someName(facts: Facts): Promise<string | undefined> {
  const pods = (await facts.list("Pod")).filter(
    ({ metadata, status }) => metadata.labels?.["security.istio.io/tlsMode"] === "istio" && status?.phase === "Running",
  );
  for (const { metadata, spec } of await facts.list("Service")) {
    const selector = Object.entries(spec?.selector ?? {});
    const [port] = spec?.ports ?? [];
    const behind = pods.some(
      (pod) =>
        pod.metadata.namespace === metadata.namespace &&
        selector.every(([key, value]) => pod.metadata.labels?.[key] === value),
    );
    if (selector.length > 0 && port !== undefined && behind)
      return `outbound_.${port.port}_._.${metadata.name}.${metadata.namespace ?? ""}.svc.cluster.local`;
  }
  return undefined;
}

function foreignTls(service: Service, { certificate }: ShownCertificate): readonly string[] {
  if (certificate === undefined) return [];
  const x509 = new X509Certificate(certificate);
  if ((x509.subjectAltName ?? "").includes("URI:spiffe://")) return [];
  const subject = x509.subject.replaceAll("\n", ", ");
  return [`Service ${nameOf(service)}: something before it ends TLS, with a certificate of its own (${subject})`];
}

/** Roots that workloads here take, and those that the mesh configuration adds. */
async function trustedHere(facts: Facts): Promise<ReadonlySet<string>> {
  const map = await facts.get("ConfigMap", facts.context.istioNamespace, "istio");
  const config = meshConfigOf(map?.data?.["mesh"] ?? "", facts.context.istioNamespace);
  const more = trustBundles(config).flatMap(({ pem }) => pemBlocks(pem));
  return new Set([...(await rootsOf(facts)), ...more].map(fingerprint));
}

/** Roots as workloads of a cluster get them; where none are spread yet those of its authority. */
async function rootsOf(facts: Facts): Promise<readonly string[]> {
  const map = await facts.get("ConfigMap", facts.context.istioNamespace, "istio-ca-root-cert");
  const spread = pemBlocks(map?.data?.["root-cert.pem"] ?? "");
  return spread.length > 0 ? spread : currentRoots(facts);
}

function fingerprint(pem: string): string {
  try {
    return new X509Certificate(pem).fingerprint256;
  } catch {
    return pem;
  }
}
