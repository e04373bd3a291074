import { type ControlPlane, createControlPlane } from "../../../src/controlplane/main.ts";
import type { ControlPlaneOptions } from "../../../src/controlplane/shared.ts";
import { render } from "../../../src/install/render.ts";
import { settingsOf } from "../../../src/install/settings.ts";
import { openCluster } from "../../../src/kube/cluster.ts";
import type { Cluster, TargetRef } from "../../../src/resources/cluster.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { freePorts } from "../envoy/free-ports.ts";
import { type RealApiServer, startApiServer } from "../kube/apiserver.ts";
import { waitFor } from "../wait.ts";
import { applyCrds, namespace } from "./mesh-objects.ts";
import { recordingLogger } from "./recorder.ts";
import { tokenKubeconfig } from "./token-kubeconfig.ts";

/** A real API server with the mesh's objects installed, and meshd in this process as the installed service account. */
export interface Installed {
  readonly server: RealApiServer;
  /** As system:masters. */
  readonly cluster: Cluster;
  /** Of the service account istiod, with the permissions of the rendered manifests. */
  readonly kubeconfig: string;
  readonly ports: Readonly<Record<"http" | "secureGrpc" | "monitoring" | "https", number>>;
  readonly log: ReturnType<typeof recordingLogger>;
  startPlane(changes?: Partial<ControlPlaneOptions>): Promise<void>;
  stopPlane(): Promise<void>;
  /** PEM of the mesh's root, once it is in namespace `shop`. */
  roots(): Promise<string>;
  /** A token for the control plane, bound to a pod when one is given. */
  tokenOf(namespace: string, account: string, pod?: { readonly name: string; readonly uid: string }): Promise<string>;
  stop(): Promise<void>;
}

/** The objects of the default profile, with `--set` lines. */
export function renderedObjects(set: readonly string[] = []): readonly KubeObject[] {
  return render(settingsOf("default", set)).flatMap((part) => part.objects);
}

const ANALYSIS_WORKER = new URL("../../../dist/analysis-worker.js", import.meta.url);

/** Where the root certificate is in a namespace. */
export const rootCert = (ns: string): TargetRef => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  namespace: ns,
  name: "istio-ca-root-cert",
});

/**
 * Installs everything but the Deployment, with namespace `shop` and its accounts `web` and `other`. Starts no meshd. With
 * `analysis` meshd writes findings into status, as `--set` asked for; the thread is the built one.
 */
export async function install(
  how: { readonly analysis?: boolean; readonly audit?: boolean; readonly set?: readonly string[] } = {},
): Promise<Installed> {
  const analysis = how.analysis === true ? ["components.pilot.k8s.env.PILOT_ENABLE_ANALYSIS=true"] : [];
  const set = [...analysis, ...(how.set ?? [])];
  const server = await startApiServer({ audit: how.audit === true });
  const cluster = await openCluster({ kubeconfig: server.kubeconfig, env: {} });
  const [http = 0, secureGrpc = 0, monitoring = 0, https = 0] = await freePorts(4);
  const ports = { http, secureGrpc, monitoring, https };
  await applyCrds(cluster);
  await namespace(cluster, "istio-system");
  await namespace(cluster, "shop", ["web", "other"]);
  for (const object of renderedObjects(set))
    if (!["CustomResourceDefinition", "Deployment"].includes(object.kind))
      await cluster.apply(object, { fieldManager: "test", force: true });
  const account = { namespace: "istio-system", serviceAccount: "istiod", audiences: [] };
  const kubeconfig = tokenKubeconfig(server, await cluster.createToken(account));
  const log = recordingLogger();
  let plane: ControlPlane | undefined;
  const stopPlane = async (): Promise<void> => {
    await plane?.close();
    plane = undefined;
  };
  return {
    server,
    cluster,
    kubeconfig,
    ports,
    log,
    stopPlane,
    async startPlane(changes = {}) {
      const local = (port: number) => ({ host: "127.0.0.1", port });
      plane = createControlPlane({
        cluster: await openCluster({ kubeconfig, env: {} }),
        namespace: "istio-system",
        instance: "istiod-0",
        clusterId: "Kubernetes",
        revision: "default",
        domain: "cluster.local",
        listen: {
          http: local(http),
          secureGrpc: local(secureGrpc),
          monitoring: local(monitoring),
          https: local(https),
        },
        ...(how.analysis === true ? { analysis: { worker: ANALYSIS_WORKER, writesStatus: true } } : {}),
        log,
        ...changes,
      });
      await plane.start();
    },
    async roots() {
      const found = await waitFor(() => cluster.get(rootCert("shop")), { what: "the root certificate" });
      return (found["data"] as Record<string, string>)["root-cert.pem"] ?? "";
    },
    tokenOf(ns, name, pod) {
      const target = { namespace: ns, serviceAccount: name, audiences: ["istio-ca"] };
      return cluster.createToken(pod === undefined ? target : { ...target, pod });
    },
    async stop() {
      await stopPlane();
      await server.stop();
    },
  };
}
