import { isIP } from "node:net";
import { resolve } from "node:path";
import { UsageError } from "../../base/errors.ts";
import { createMesh, type Mesh } from "../../compile/mesh.ts";
import type { ExplicitBind, Proxy } from "../../ir/proxy.ts";
import { parseServiceHost } from "../../model/host.ts";
import { podProxy } from "../../model/pod-proxy.ts";
import { createFixedWorld } from "../../resources/world-fixed.ts";
import type { KubeObject } from "../../resources/object.ts";
import type { RunningConfig } from "../../why/types.ts";
import type { Io } from "../io.ts";
import { clustersOf } from "../proxy-config/clusters.ts";
import { isDump, text } from "../proxy-config/view.ts";
import { readTextFile } from "../sources.ts";
import { bindOf, type DumpNode, dumpView, nodeOf } from "./dump-view.ts";
import type { ProxyView } from "./view.ts";
import { viewOf } from "./view.ts";

/** A mesh of which nothing is known but what some Envoys run. */
export interface DumpedMesh {
  readonly mesh: Mesh;
  /** Whose dumps they are, in their order. */
  readonly proxies: readonly Proxy[];
  readonly views: (mesh: Mesh, proxy: Proxy) => ProxyView;
}

/** Those of the files that are dumps of proxies; none where none is. Throws UsageError where some are and others not. */
export async function readDumps(files: readonly string[], io: Pick<Io, "cwd">): Promise<readonly unknown[]> {
  const read = await Promise.all(
    files.map(async (file) => {
      if (!file.endsWith(".json")) return undefined;
      const text = await readTextFile(resolve(io.cwd, file), file);
      return isDump(text) ? (JSON.parse(text) as unknown) : undefined;
    }),
  );
  const dumps = read.filter((dump) => dump !== undefined);
  if (dumps.length > 0 && dumps.length < files.length)
    throw new UsageError(
      "dumps of proxies and other files exclude each other",
      "Name dumps alone, the client's first.",
    );
  return dumps;
}

/** Makes one: the pods that the dumps are of, and the Services that their clusters name. */
export function meshOfDumps(dumps: readonly unknown[], rootNamespace: string): DumpedMesh {
  const held = dumps.map((dump) => {
    const node = nodeOf(dump);
    return {
      node,
      bind: bindOf(node),
      config: dumpView(dump),
      clusters: clustersOf(dump).map((one) => text(one, "name")),
    };
  });
  const [first] = held;
  const objects = [
    ...held.map(({ node }) => podOf(node)),
    ...servicesOf(
      held.flatMap(({ clusters }) => clusters),
      first?.config,
      first?.bind,
    ),
  ];
  const mesh = createMesh(createFixedWorld(objects), { rootNamespace });
  const proxies = held.map(({ node, bind }): Proxy => {
    const { name, namespace } = podOf(node).metadata;
    const proxy = podProxy(mesh.model.world.get("Pod", namespace ?? "", name) ?? (podOf(node) as never), mesh.model);
    return bind === undefined ? proxy : { ...proxy, interception: "NONE", bind };
  });
  const views = (of: Mesh, proxy: Proxy): ProxyView => {
    const index = proxies.findIndex(({ name, namespace }) => name === proxy.name && namespace === proxy.namespace);
    const found = held[index];
    return found === undefined ? viewOf(of, proxy) : { ...found.config, proxy, config: of.proxyConfig(proxy) };
  };
  return { mesh, proxies, views };
}

/** The pod of a node, as its id says: `sidecar~10.1.0.5~web-abc.shop~shop.svc.cluster.local`. */
function podOf({ id, metadata }: DumpNode): KubeObject {
  const [type = "sidecar", address = "", full = ""] = id.split("~");
  const dot = full.indexOf(".");
  const labels = Object.entries((metadata["LABELS"] ?? {}) as Readonly<Record<string, unknown>>);
  const containers = [...(type === "router" ? [] : [{ name: "app" }]), { name: "istio-proxy" }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: dot < 0 ? full : full.slice(0, dot),
      namespace: dot < 0 ? "default" : full.slice(dot + 1),
      labels: {
        ...Object.fromEntries(labels.map(([key, value]) => [key, String(value)])),
        ...(type === "router" ? {} : { "security.istio.io/tlsMode": "istio" }),
      },
    },
    spec: { containers, serviceAccountName: text(metadata, "SERVICE_ACCOUNT") || "default" },
    status: { podIP: address, phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  };
}

/** The Services of `outbound|80||web.shop.svc.cluster.local` and the like. */
function servicesOf(
  clusters: readonly string[],
  config: RunningConfig | undefined,
  bind: ExplicitBind | undefined,
): readonly KubeObject[] {
  const ports = new Map<string, Set<number>>();
  for (const cluster of clusters) {
    const [direction, port, , host = ""] = cluster.split("|");
    if (direction === "outbound") ports.set(host, (ports.get(host) ?? new Set()).add(Number(port)));
  }
  return [...ports].flatMap(([host, numbers]) => {
    const named = parseServiceHost(host);
    if (named === undefined) return [];
    const address = config === undefined ? undefined : addressOf(config, { host, ports: [...numbers] }, bind);
    return [
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: named.name, namespace: named.namespace },
        spec: {
          ...(address === undefined ? {} : { clusterIP: address }),
          ports: [...numbers].map((port) => ({ name: `p${port}`, port })),
        },
      },
    ];
  });
}

interface HostPorts {
  readonly host: string;
  readonly ports: readonly number[];
}

/** The virtual address of a host: that of the listener which leads to it, or one among the domains of its routes. */
function addressOf(config: RunningConfig, named: HostPorts, bind: ExplicitBind | undefined): string | undefined {
  const address = listenerAddress(config, named);
  if (address === undefined) return domainAddress(config, named);
  // only the last two numbers tell the service where each workload has addresses of its own
  return bind === undefined ? address : `10.0.${address.split(".").slice(2).join(".")}`;
}

function listenerAddress(config: RunningConfig, { host, ports }: HostPorts): string | undefined {
  const leads = (words: string): boolean =>
    ports.some((port) => words.includes(`outbound|${port}||${host}`) || words.includes(`"${host}:${port}"`));
  return config
    .listeners()
    .filter((listener) => leads(JSON.stringify(listener)))
    .flatMap(({ address }) => address?.socket_address?.address ?? [])
    .find((address) => isIP(address) !== 0 && address !== "0.0.0.0" && address !== "::");
}

function domainAddress(config: RunningConfig, { host, ports }: HostPorts): string | undefined {
  return ports
    .flatMap((port) => config.routes(String(port))?.virtual_hosts ?? [])
    .flatMap(({ domains = [] }) => (domains.includes(host) ? domains : []))
    .find((domain) => isIP(domain) !== 0);
}
