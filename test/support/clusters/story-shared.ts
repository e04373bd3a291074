import { expect, test } from "vitest";
import { waitFor } from "../wait.ts";
import { apply, installLines, type Mesh, SIDES } from "./mesh.ts";

// Services that clusters share by the Multi-Cluster Services API. Its kinds are the user's: here they are made small.

const SHARED = "http://catalog.shop.svc.clusterset.local:8000/items";
const ENV = ["ENABLE_MCS_SERVICE_DISCOVERY", "ENABLE_MCS_HOST", "ENABLE_MCS_CLUSTER_LOCAL"];

const definition = (kind: string): string => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: ${kind.toLowerCase()}s.multicluster.x-k8s.io, annotations: { api-approved.kubernetes.io: "unapproved, of a test" } }
spec:
  group: multicluster.x-k8s.io
  scope: Namespaced
  names: { kind: ${kind}, plural: ${kind.toLowerCase()}s, singular: ${kind.toLowerCase()}, listKind: ${kind}List }
  versions:
    - name: v1alpha1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }`;

const object = (kind: string, spec: string): string => `apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ${kind}
metadata: { name: catalog, namespace: shop }
${spec}`;

/** The client's agent answers names; a change of the pod's template makes a new pod. */
const CAPTURE = JSON.stringify({
  spec: {
    template: {
      metadata: {
        annotations: {
          "proxy.istio.io/config": JSON.stringify({ proxyMetadata: { ISTIO_META_DNS_CAPTURE: "true" } }),
        },
      },
    },
  },
});

/** Registers the tests. From here on the control planes obey ServiceExports. */
export function sharedTests(mesh: () => Mesh): void {
  test("services that clusters share: a cluster's host means that cluster, the host in all clusters those that export", async () => {
    const { shell, shares } = mesh();
    await apply(mesh(), `${definition("ServiceExport")}\n---\n${definition("ServiceImport")}`);
    const flags = ENV.map((name) => `--set values.pilot.env.${name}=true`).join(" ");
    await shell(installLines(mesh(), flags));
    for (const side of SIDES)
      await shell(
        `export KUBECONFIG=$${side.toUpperCase()}
         kubectl -n istio-system rollout status deploy/istiod --timeout=120s
         kubectl -n shop patch deploy client-v1 --patch '${CAPTURE}'
         kubectl -n shop rollout status deploy/client-v1 --timeout=120s`,
      );
    await apply(
      mesh(),
      object(
        "ServiceImport",
        "spec: { type: ClusterSetIP, ips: [198.51.100.7], ports: [{ port: 8000, protocol: TCP }] }",
      ),
    );
    const settled = async (other: boolean, url?: string): Promise<boolean> => {
      const { other: count } = await shares("east", 40, url);
      return other ? count > 0 : count === 0;
    };
    const wait = { timeoutMs: 60_000 };
    await waitFor(() => settled(false, SHARED), { ...wait, what: "only the own cluster's pods to be shared" });
    await apply(mesh(), object("ServiceExport", ""));
    await waitFor(() => settled(true, SHARED), { ...wait, what: "the other cluster's pods to be shared" });
    const shared = await shares("east", 200, SHARED);
    expect(shared.own).toBeGreaterThan(20);
    expect(shared.other).toBeGreaterThan(20);
    expect(await shares("east", 200)).toEqual({ own: 200, other: 0 });
    await shell("kubectl --kubeconfig $WEST -n shop delete serviceexport/catalog");
    await waitFor(() => settled(false, SHARED), { ...wait, what: "the other cluster to keep its pods to itself" });
    expect(await shares("east", 200, SHARED)).toEqual({ own: 200, other: 0 });
  });
}
