import type { KindTypes } from "../resources/kinds.ts";

type WorkloadEntry = KindTypes["WorkloadEntry"];

/** Annotations of a WorkloadEntry that the control plane made for a proxy that came by itself; Istio's names. */
export const REGISTRATION = {
  /** Name of the WorkloadGroup it was made from. */
  group: "istio.io/autoRegistrationGroup",
  /** The instance that the proxy is, or was last, connected to. */
  controller: "istio.io/workloadController",
  /** RFC 3339. */
  connectedAt: "istio.io/connectedAt",
  disconnectedAt: "istio.io/disconnectedAt",
  /** "true": the workload tells its health, and is not used before it has. */
  checked: "proxy.istio.io/health-checks-enabled",
} as const;

/** The condition that holds what the workload says of its own health. */
export const HEALTHY = "Healthy";

/** The name of the entry of a proxy that registers with a group. IPv6 addresses hold what names may not. */
export function registeredName(group: string, address: string, network: string | undefined): string {
  const name = `${group}-${address}${network === undefined ? "" : `-${network}`}`;
  return name.replaceAll(":", "-").toLowerCase();
}

/** Whether traffic may go to the workload: it has not said that it is unwell, and one whose health is checked has said that it is well. */
export function takesTraffic({ metadata, status }: Pick<WorkloadEntry, "metadata" | "status">): boolean {
  const said = status?.conditions?.find(({ type }) => type === HEALTHY)?.status;
  return metadata.annotations?.[REGISTRATION.checked] === "true" ? said === "True" : said !== "False";
}
