import { isTrue } from "../model/annotation-values.ts";
import { usesCni } from "./capture.ts";
import type { InjectContext, PodLike } from "./config.ts";
import { PROXY } from "./uninject.ts";

type Fields = Readonly<Record<string, unknown>>;

/** User and group of proxies where nothing else is said. */
const PROXY_ID = 1337;

/** Who the proxy runs as. */
export interface ProxyIds {
  readonly uid: number;
  readonly gid: number;
}

/** The user's own securityContext of the proxy first, then the namespace's range (OpenShift), then 1337. */
export function proxyIds(own: PodLike, { namespaceAnnotations = {} }: InjectContext): ProxyIds {
  const all = [...own.spec.containers, ...(own.spec.initContainers ?? [])];
  const mine = all.find(({ name }) => name === PROXY)?.["securityContext"] as
    | { readonly runAsUser?: number; readonly runAsGroup?: number }
    | undefined;
  const users = namespaceAnnotations["openshift.io/sa.scc.uid-range"];
  const groups = namespaceAnnotations["openshift.io/sa.scc.supplemental-groups"] ?? users;
  return {
    uid: mine?.runAsUser ?? lastOf(users) ?? PROXY_ID,
    gid: mine?.runAsGroup ?? lastOf(groups) ?? PROXY_ID,
  };
}

/** The last id of a range, `start/size` or `start-end`; of several the first. */
function lastOf(ranges: string | undefined): number | undefined {
  const [, start, kind, end] = /^(\d+)([/-])(\d+)/.exec(ranges ?? "") ?? [];
  if (start === undefined) return undefined;
  return kind === "/" ? Number(start) + Number(end) - 1 : Number(end);
}

/** What security contexts are decided from. */
export interface SecurityFacts {
  readonly context: InjectContext;
  readonly annotations: Readonly<Record<string, string>>;
  readonly proxyConfig: Fields;
  readonly mode: string;
  readonly ids: ProxyIds;
}

/** Security contexts of the proxy and of the container that prepares the capture: as little as their work takes. */
export function securityOf(facts: SecurityFacts): Fields {
  const { proxy } = facts.context.values.global;
  const seccomp = Object.keys(proxy.seccompProfile ?? {}).length === 0 ? {} : { seccompProfile: proxy.seccompProfile };
  return { proxy: { ...proxyContext(facts), ...seccomp }, init: { ...initContext(facts), ...seccomp } };
}

function proxyContext({ context, annotations, proxyConfig, mode, ids }: SecurityFacts): Fields {
  const { proxy } = context.values.global;
  const privileged = proxy.privileged === true;
  const metadata = proxyConfig["proxyMetadata"] as Fields | undefined;
  if (metadata?.["IPTABLES_TRACE_LOGGING"] === "true") {
    const rights = {
      allowPrivilegeEscalation: true,
      capabilities: { add: ["NET_ADMIN"], drop: ["ALL"] },
      privileged: true,
    };
    return { ...rights, readOnlyRootFilesystem: true, ...asRoot(ids.gid) };
  }
  const bindsLow = isTrue(annotations["sidecar.istio.io/capNetBindService"] ?? proxy.capNetBindService ?? "");
  const add = [...(mode === "TPROXY" ? ["NET_ADMIN"] : []), ...(bindsLow ? ["NET_BIND_SERVICE"] : [])];
  return {
    allowPrivilegeEscalation: privileged,
    capabilities: { ...(add.length === 0 ? {} : { add }), drop: ["ALL"] },
    privileged,
    readOnlyRootFilesystem: true,
    ...(add.length === 0 ? asUser(ids) : asRoot(PROXY_ID)),
  };
}

function initContext({ context, mode, ids }: SecurityFacts): Fields {
  const { values } = context;
  const isPrivileged = values.global.proxy.privileged === true;
  const rights = { allowPrivilegeEscalation: isPrivileged, privileged: isPrivileged };
  if (usesCni(values)) {
    const user = mode === "TPROXY" ? { uid: PROXY_ID, gid: PROXY_ID } : ids;
    return { ...rights, capabilities: { drop: ["ALL"] }, readOnlyRootFilesystem: true, ...asUser(user) };
  }
  const capabilities = { add: ["NET_ADMIN", "NET_RAW"], drop: ["ALL"] };
  return { ...rights, capabilities, readOnlyRootFilesystem: false, ...asRoot(0) };
}

function asUser({ uid, gid }: ProxyIds): Fields {
  return { runAsGroup: gid, runAsNonRoot: uid !== 0, runAsUser: uid };
}

function asRoot(group: number): Fields {
  return { runAsGroup: group, runAsNonRoot: false, runAsUser: 0 };
}
