import { expect, test } from "vitest";
import { waitFor } from "../wait.ts";
import { apply, type Mesh } from "./mesh.ts";

const GATEWAY = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: between
  namespace: istio-system
  labels: { topology.istio.io/network: net-west }
spec:
  gatewayClassName: istio
  listeners:
    - name: cross-network
      port: 15443
      protocol: TLS
      tls: { mode: Passthrough, options: { gateway.istio.io/listener-mode: auto-passthrough } }`;

/** Registers a test for clusters that have the kinds of Gateway API: meshd makes the pods of the gateway between networks. */
export function gatewayApiTests(mesh: () => Mesh): void {
  test("a Gateway of Gateway API is the way between networks, in place of the Istio Gateway and its pods", async () => {
    const { shell, shares } = mesh();
    const west = "kubectl --kubeconfig $WEST -n istio-system";
    await apply(mesh(), GATEWAY, ["west"]);
    const address = await waitFor(
      async () => {
        const text = await shell(
          `${west} get service between-istio -o jsonpath='{.status.loadBalancer.ingress[0].ip}'`,
        );
        return /^[\d.]+$/.test(text) ? text : undefined;
      },
      { what: "the Gateway's load balancer", timeoutMs: 60_000 },
    );
    await shell(`${west} wait --for=condition=Programmed gateway/between --timeout=60s`);
    await shell(`${west} label service istio-eastwestgateway topology.istio.io/network-`);
    const ways = async (): Promise<readonly string[]> => {
      const pod = await shell(
        "kubectl --kubeconfig $EAST -n shop get pods -l app=client -o jsonpath='{.items[0].metadata.name}'",
      );
      const text = await shell(
        `meshctl proxy-config endpoint --kubeconfig $EAST -n shop ${pod} --cluster 'outbound|8000||catalog.shop.svc.cluster.local'`,
      );
      return [...text.matchAll(/^([\d.]+):15443 /gm)].map(([, found = ""]) => found);
    };
    await waitFor(async () => (await ways()).join() === address, {
      what: "the new way to be the only one",
      timeoutMs: 30_000,
    });
    const { own, other } = await shares("east", 200);
    expect(own).toBeGreaterThan(20);
    expect(other).toBeGreaterThan(20);
    await shell(`${west} label service istio-eastwestgateway topology.istio.io/network=net-west`);
    await shell(`${west} delete gateway/between`);
    await waitFor(async () => !(await ways()).includes(address), {
      what: "the Gateway's way to be gone",
      timeoutMs: 30_000,
    });
  });
}
