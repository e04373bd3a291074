import { getOver } from "../../../scripts/scenario/ask.ts";
import { must, type Scenario } from "../../../scripts/scenario/context.ts";
import type { KubeObject } from "../../../src/resources/object.ts";

/** What a port of a pod's container tells whoever may ask it; without an answer there is nothing to look at. */
const ASKED: readonly { readonly container: string; readonly port: number; readonly paths: readonly string[] }[] = [
  {
    container: "istio-proxy",
    port: 15000,
    paths: [
      "/config_dump?include_eds",
      "/config_dump?resource=dynamic_active_secrets",
      "/certs",
      "/clusters?format=json",
    ],
  },
  { container: "istio-proxy", port: 15020, paths: ["/stats/prometheus", "/debug/ndsz", "/healthz/ready"] },
  { container: "discovery", port: 15014, paths: ["/metrics", "/debug/syncz", "/debug/connections", "/debug/analysis"] },
];

interface PodSpec {
  readonly containers: readonly { readonly name: string }[];
  readonly initContainers?: readonly { readonly name: string }[];
}

/**
 * Everything that a running mesh tells (logs of all containers, dumps of the proxies, agents and the control plane, our own
 * commands) has in it no private key, no token and no other value of a Secret.
 */
export async function noSecretsTold(scenario: Scenario): Promise<void> {
  const secrets = await secretTexts(scenario);
  must(secrets.size > 0, "expected Secrets, at least that of the authority");
  const told = await allTold(scenario);
  const kinds = ["log", "15000", "15020", "15014", "debug", "proxy-config"];
  for (const kind of kinds)
    must(
      [...told.keys()].some((from) => from.includes(kind)),
      `nothing of ${kind} was looked at`,
    );
  for (const [from, text] of told) {
    must(!text.includes("PRIVATE KEY"), `${from} has a private key in it`);
    must(!/eyJ[\w-]{10,}\.eyJ[\w-]{10,}\./.test(text), `${from} has a token in it`);
    for (const [secret, value] of secrets) must(!text.includes(value), `${from} has in it what Secret ${secret} keeps`);
  }
  scenario.say(`  ${told.size} texts, ${secrets.size} secrets`);
}

/** A piece of each value that a Secret keeps and that is not public, by the Secret and its key. */
async function secretTexts({ cluster }: Scenario): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const { metadata, data } of await cluster.list({ apiVersion: "v1", kind: "Secret" }))
    for (const [key, value] of Object.entries((data ?? {}) as Readonly<Record<string, string>>)) {
      const text = Buffer.from(value, "base64").toString("utf8");
      if (text.includes("BEGIN CERTIFICATE")) continue;
      // of a PEM the first line of what it holds
      const piece = text.includes("-----BEGIN") ? (text.split("\n")[1] ?? "") : text.trim();
      if (piece.length >= 12) found.set(`${metadata.namespace ?? ""}/${metadata.name} ${key}`, piece);
    }
  return found;
}

async function allTold(scenario: Scenario): Promise<ReadonlyMap<string, string>> {
  const told = new Map<string, string>();
  const pods = await scenario.cluster.list({ apiVersion: "v1", kind: "Pod" });
  for (const pod of pods.filter(({ status }) => (status as { phase?: string }).phase === "Running")) {
    const { namespace = "", name } = pod.metadata;
    const names = containersOf(pod);
    for (const container of names) {
      const text = await scenario.cluster.logs({ namespace, pod: name, container }).catch(() => "");
      told.set(`the log of ${name} ${container}`, text);
    }
    for (const { port, paths } of ASKED.filter(({ container }) => names.includes(container)))
      for (const path of paths) {
        const body = await ask(scenario, { namespace, pod: name, port }, path);
        if (body !== "") told.set(`${name}:${port}${path}`, body);
      }
    if (names.includes("istio-proxy")) {
      // what the commands show is the proxy's own dump: one shows what they do with it
      if (![...told.keys()].some((from) => from.startsWith("proxy-config"))) {
        const args = ["proxy-config", "secret", `${name}.${namespace}`, "-o", "json"];
        told.set(`proxy-config of ${name}`, (await scenario.meshctl(args, { quiet: true })).stdout);
      }
      for (const [plane, port] of planes(pods)) {
        const path = `/debug/config_dump?proxyID=${name}.${namespace}`;
        const body = await ask(
          scenario,
          { namespace: plane.metadata.namespace ?? "", pod: plane.metadata.name, port },
          path,
        );
        if (body !== "") told.set(`debug of ${name} at ${plane.metadata.name}`, body);
      }
    }
  }
  return told;
}

function containersOf({ spec }: KubeObject): readonly string[] {
  const { containers, initContainers = [] } = spec as PodSpec;
  return [...initContainers, ...containers].map(({ name }) => name);
}

function planes(pods: readonly KubeObject[]): readonly (readonly [KubeObject, number])[] {
  return pods.filter((pod) => containersOf(pod).includes("discovery")).map((pod) => [pod, 15014] as const);
}

async function ask(
  { cluster }: Scenario,
  target: { readonly namespace: string; readonly pod: string; readonly port: number },
  path: string,
): Promise<string> {
  try {
    return (await getOver(await cluster.portForward(target), path)).body;
  } catch {
    return "";
  }
}
