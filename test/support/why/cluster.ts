import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { ClusterError } from "../../../src/base/errors.ts";
import type { Cluster, PodPort } from "../../../src/resources/cluster.ts";
import { KIND_NAMES } from "../../../src/resources/kinds.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { fakeCluster } from "../fake-cluster.ts";
import type { Lab } from "../traffic/lab.ts";

const ADMIN_PORT = 15_000;
const HTTP_PROXY_PORT = 15_080;
const CONTROL_PLANE = "istiod-1";

/** What the control plane's monitoring port answers, by path. */
export type MonitoringAnswers = Readonly<Record<string, () => unknown>>;

/**
 * The mesh of the traffic lab as a cluster: its objects, admin ports and logs of its real Envoys, and ports of applications
 * as if they were forwarded. What does not change between cases is asked once.
 */
export function labCluster(lab: Lab, monitoring: MonitoringAnswers): Cluster {
  const objects = KIND_NAMES.flatMap((kind) => lab.plane.state.world.list(kind) as readonly KubeObject[]).map(
    withProxy,
  );
  const names = new Map(Object.keys(lab.proxies).map((name) => [name, name as keyof Lab["proxies"]]));
  const kept = new Map<string, Promise<string>>();
  const answer = (target: PodPort, path: string): Promise<string> => {
    const name = names.get(target.pod);
    if (target.port === ADMIN_PORT && name !== undefined) return lab.proxies[name].admin(path);
    const said = target.pod === CONTROL_PLANE ? monitoring[path]?.() : undefined;
    return said === undefined
      ? Promise.reject(new ClusterError("refused", `nobody answers ${path}`))
      : Promise.resolve(JSON.stringify(said));
  };
  return {
    ...fakeCluster({ objects: [...objects, controlPlane()] }),
    version: () => Promise.resolve({ gitVersion: "v1.36.0", major: "1", minor: "36" }),
    // a running mesh: podHttp would say that it is the record of one
    async elsewhere(target, { path }) {
      const key = `${target.pod} ${path}`;
      const known = kept.get(key) ?? answer(target, path);
      kept.set(key, known);
      return { status: 200, body: await known };
    },
    logs({ pod }) {
      const name = names.get(pod);
      return name === undefined
        ? Promise.reject(new ClusterError("not-found", `no container of ${pod}`))
        : Promise.resolve(lab.proxies[name].log());
    },
    portForward: ({ pod, port }) => forwarded(lab, pod, port),
  };
}

/** Pods of the lab have a proxy beside them: the gateway's says so too. */
function withProxy(object: KubeObject): KubeObject {
  if (object.kind !== "Pod" || object.metadata.name !== "gateway") return object;
  return { ...object, spec: { ...(object.spec as object), containers: [{ name: "istio-proxy" }] } };
}

function controlPlane(): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: CONTROL_PLANE, namespace: "istio-system", labels: { app: "istiod" } },
    spec: { containers: [{ name: "discovery" }] },
    status: { phase: "Running" },
  };
}

/**
 * A connection to a pod's own loopback address. Pods of the lab share the machine's: what a pod alone would reach stands at
 * its third address, its application at the second, and its proxy, or an application without one, at the first.
 */
async function forwarded({ places }: Lab, pod: string, port: number): Promise<Duplex> {
  const prefix = Object.entries(places).find(([name]) => name === pod)?.[1] as string | undefined;
  const isProxys = pod === "gateway" || port === HTTP_PROXY_PORT;
  const last = pod === "v3" || isProxys ? ["1"] : ["3", "2"];
  for (const end of prefix === undefined ? [] : last) {
    const stream = await connected(`${prefix}.0.${end}`, port);
    if (stream !== undefined) return stream;
  }
  throw new ClusterError("refused", `pod ${pod} refuses connections to port ${port}`);
}

function connected(host: string, port: number): Promise<Duplex | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once("connect", () => resolve(socket));
    socket.once("error", () => resolve(undefined));
  });
}
