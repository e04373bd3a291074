import type { InjectorMeshConfig, InjectorValues } from "./config.ts";

type Annotations = Readonly<Record<string, string>>;
type Fields = Readonly<Record<string, unknown>>;

/** What capture is decided from. */
export interface CaptureFacts {
  readonly annotations: Annotations;
  readonly values: InjectorValues;
  readonly meshConfig: InjectorMeshConfig;
  readonly proxyConfig: Fields;
  /** User that the proxy runs as: its traffic is not captured. */
  readonly uid: number;
}

/** What istio-init is told, with the pod's annotations before the installation's values. */
export function captureOf(facts: CaptureFacts): Fields {
  const { annotations, values, meshConfig, uid } = facts;
  const { proxy } = values.global;
  const mode = interceptionMode(facts);
  const traffic = (name: string, fallback: string): string =>
    annotations[`traffic.sidecar.istio.io/${name}`] ?? fallback;
  const settings = {
    includeOutboundIPRanges: traffic("includeOutboundIPRanges", proxy.includeIPRanges),
    excludeOutboundIPRanges: traffic("excludeOutboundIPRanges", proxy.excludeIPRanges),
    includeInboundPorts: traffic("includeInboundPorts", proxy.includeInboundPorts),
    excludeInboundPorts: excludedPorts(facts),
    includeOutboundPorts: traffic("includeOutboundPorts", proxy.includeOutboundPorts),
    excludeOutboundPorts: traffic("excludeOutboundPorts", proxy.excludeOutboundPorts),
  };
  const isCni = usesCni(values);
  return {
    mode,
    enabled: mode !== "NONE",
    outboundPort: String(meshConfig.proxyListenPort ?? 15001),
    inboundPort: String(meshConfig.proxyInboundListenPort ?? 15006),
    // the proxy runs as root under TPROXY: its group tells it apart then
    uid: String(mode === "TPROXY" || uid === 0 ? 1337 : uid),
    container: isCni ? "istio-validation" : "istio-init",
    ...settings,
    more: furtherFlags(facts, settings, isCni),
    cni: isCni ? cniAnnotations(facts, mode, settings) : undefined,
  };
}

/** Whether a CNI plugin sets the capture up, so that pods need no privilege for it. */
export function usesCni({ pilot, istio_cni: older }: InjectorValues): boolean {
  return pilot?.cni?.enabled === true || older?.enabled === true;
}

/** The status port of the agent for this pod; 0 means no probes. */
export function statusPort({ annotations, values }: Pick<CaptureFacts, "annotations" | "values">): number {
  const asked = annotations["status.sidecar.istio.io/port"];
  return asked === undefined ? values.global.proxy.statusPort : Number(asked);
}

function interceptionMode({ annotations, values, proxyConfig }: CaptureFacts): string {
  const configured = proxyConfig["interceptionMode"];
  return (
    annotations["sidecar.istio.io/interceptionMode"] ??
    (typeof configured === "string" ? configured : undefined) ??
    values.global.proxy.interceptionMode ??
    "REDIRECT"
  );
}

/** Ports of the proxy itself are never captured, so that probes and scrapes reach it. */
function excludedPorts(facts: CaptureFacts): string {
  const asked =
    facts.annotations["traffic.sidecar.istio.io/excludeInboundPorts"] ?? facts.values.global.proxy.excludeInboundPorts;
  const status = statusPort(facts);
  const ports = asked.split(",").map((port) => port.trim());
  const all = ["15090", "15021", ...(status === 0 ? [] : [String(status)]), ...ports];
  return [...new Set(all.filter((port) => port !== ""))].join(",");
}

function furtherFlags({ annotations, values }: CaptureFacts, ports: Fields, isCni: boolean): readonly string[] {
  const rerouted =
    annotations["istio.io/reroute-virtual-interfaces"] ?? annotations["traffic.sidecar.istio.io/kubevirtInterfaces"];
  const pairs = [
    ["-q", ports["includeOutboundPorts"]],
    ["-o", ports["excludeOutboundPorts"]],
    ["-c", annotations["traffic.sidecar.istio.io/excludeInterfaces"]],
    ["-k", rerouted],
  ] as const;
  const level = annotations["sidecar.istio.io/agentLogLevel"] ?? values.global.logging?.level ?? "default:info";
  return [
    ...pairs.flatMap(([flag, value]) => (typeof value === "string" && value !== "" ? [flag, value] : [])),
    `--log_output_level=${level}`,
    ...(values.global.logAsJson === true ? ["--log_as_json"] : []),
    ...(isCni ? ["--run-validation", "--skip-rule-apply"] : []),
    ...(!isCni && values.global.proxy_init?.forceApplyIptables === true ? ["--force-apply"] : []),
  ];
}

/** The plugin reads annotations only: what was decided is written down, and the network of multus is asked for. */
function cniAnnotations({ annotations, values }: CaptureFacts, mode: string, settings: Fields): Fields {
  const filled = Object.entries(settings).map(([name, value]) => [name, value === "" ? undefined : value]);
  const networks = annotations["k8s.v1.cni.cncf.io/networks"];
  return {
    mode,
    ...(Object.fromEntries(filled) as Fields),
    networks: values.pilot?.cni?.provider === "multus" ? withMultus(networks ?? "") : undefined,
  };
}

const MULTUS = { namespace: "default", name: "istio-cni" };

/** The list of networks, in either of its two forms, with ours at the end. */
function withMultus(networks: string): string {
  const text = `${MULTUS.namespace}/${MULTUS.name}`;
  if (networks.trim().startsWith("[")) {
    const list = JSON.parse(networks) as readonly { readonly name?: string; readonly namespace?: string }[];
    const isThere = list.some(({ name, namespace }) => name === MULTUS.name && namespace === MULTUS.namespace);
    return isThere ? networks : JSON.stringify([...list, MULTUS]);
  }
  const names = networks.split(",").map((name) => name.trim());
  if (names.includes(text)) return networks;
  return networks === "" ? text : `${networks}, ${text}`;
}
