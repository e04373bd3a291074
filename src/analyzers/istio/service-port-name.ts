import { nearest } from "../../base/nearest.ts";
import { protocolNames, selectProtocol } from "../../model/protocol.ts";
import type { ServicePortSpec } from "../../resources/core.ts";
import type { KubeObject } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/**
 * What the name of a port (or appProtocol) does not say, proxies guess from a connection's first bytes, which goes wrong where
 * the server speaks first. To an ExternalName service requests go by host, which plain TCP does not have.
 */
export const servicePortName = defineAnalyzer({
  name: "service-port-name",
  summary: "Checks that the protocol of each Service port can be told from its name.",
  reads: ["Service", "Namespace"],
  codes: ["IST0118", "IST0150"],
  analyze: (input) => {
    for (const object of input.world.list("Service")) {
      const { namespace = "", labels = {} } = object.metadata;
      if (isSystem(input, namespace) || MANAGED.some((label) => label in labels)) continue;
      for (const [index, port] of (object.spec?.ports ?? []).entries()) {
        const path = ["spec", "ports", index];
        if (object.spec?.type === "ExternalName") checkAlias(input, object, port, path);
        else checkName(input, object, port, path);
      }
    }
  },
});

type Input = AnalyzerInput<"Service" | "Namespace", "IST0118" | "IST0150">;

/** Labels of Services that a control plane makes for a Gateway. */
const MANAGED = ["gateway.istio.io/managed", "gateway.networking.k8s.io/gateway-name"] as const;

/** Where a gateway's own health is asked for: always HTTP, and called `status-port` by every installation. */
const STATUS_PORT = 15_021;

/** Namespaces of the cluster and the mesh itself, and those that said they stay outside. */
function isSystem({ world, model }: Input, namespace: string): boolean {
  if (namespace === model.rootNamespace || namespace.startsWith("kube-")) return true;
  return world.get("Namespace", "", namespace)?.metadata.labels?.["istio-injection"] === "disabled";
}

function checkName(
  { report }: Input,
  object: KubeObject,
  port: ServicePortSpec,
  path: readonly (string | number)[],
): void {
  if (selectProtocol(port) !== "auto" || port.port === STATUS_PORT) return;
  const name = port.name ?? "";
  const [prefix = ""] = name.toLowerCase().split("-");
  const close =
    nearest(prefix, protocolNames) ?? protocolNames.find((each) => each.length > 3 && prefix.startsWith(each));
  report(object, port.name === undefined ? path : [...path, "name"], "IST0118", {
    name,
    port: port.port,
    target: String(port.targetPort ?? port.port),
    nearest: close === undefined ? "" : name.length > prefix.length ? `${close}${name.slice(prefix.length)}` : close,
  });
}

function checkAlias(
  { report }: Input,
  object: KubeObject,
  port: ServicePortSpec,
  path: readonly (string | number)[],
): void {
  const protocol = selectProtocol(port);
  if (protocol !== "auto" && protocol !== "tcp") return;
  const shown = port.name === undefined ? String(port.port) : port.name;
  report(object, port.name === undefined ? path : [...path, "name"], "IST0150", {
    port: shown,
    service: object.metadata.name,
  });
}
