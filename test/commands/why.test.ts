import { expect, test } from "vitest";
import { parse } from "../../src/cli-parse.ts";
import { views } from "../../src/commands/proxy-config/index.ts";
import { whyTables } from "../../src/commands/proxy-config/why.ts";
import type { Translated } from "../../src/commands/translate.ts";
import { fakeIo } from "../support/fake-io.ts";

// What meshd would send is read back as if Envoy's admin port had shown it: Envoy keeps metadata as it came.

const MESH = `apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, labels: { app: web } }
spec: { containers: [{ name: app, image: x, ports: [{ containerPort: 8080 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: first, namespace: shop, creationTimestamp: "2026-01-01T00:00:00Z" }
spec:
  hosts: [web]
  http:
    - match: [{ uri: { exact: / } }]
      delegate: { name: leaf }
      timeout: 5s
    - route: [{ destination: { host: web } }]
    - route: [{ destination: { host: web, port: { number: 80 } } }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: leaf, namespace: shop }
spec: { http: [{ route: [{ destination: { host: web } }] }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: second, namespace: shop, creationTimestamp: "2026-01-02T00:00:00Z" }
spec: { hosts: [other.example, web], http: [{ route: [{ destination: { host: web } }] }] }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: first, namespace: shop, creationTimestamp: "2026-01-01T00:00:00Z" }
spec: { host: web, trafficPolicy: { loadBalancer: { simple: RANDOM } } }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: second, namespace: shop, creationTimestamp: "2026-01-02T00:00:00Z" }
spec: { host: web, trafficPolicy: { loadBalancer: { simple: ROUND_ROBIN } } }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: strict, namespace: shop }
spec: { mtls: { mode: STRICT } }
`;

async function dumpOf(proxy: string): Promise<unknown> {
  const io = fakeIo({ stdin: MESH });
  const parsed = parse(["translate", "-f", "-", "--proxy", proxy, "-o", "json"]);
  if (parsed.type !== "run") throw new Error("not run");
  await (await parsed.spec.load())(parsed.input, io);
  const [one] = JSON.parse(io.stdout()) as readonly Translated[];
  const section = (name: string, key: string, entries: readonly unknown[]): object => ({
    "@type": `type.googleapis.com/envoy.admin.v3.${name}`,
    [key]: entries,
  });
  const of = (part: string): readonly unknown[] => one?.[part] as readonly unknown[];
  const configs = [
    section(
      "ClustersConfigDump",
      "dynamic_active_clusters",
      of("clusters").map((cluster) => ({ cluster })),
    ),
    section(
      "RoutesConfigDump",
      "dynamic_route_configs",
      of("routes").map((route_config) => ({ route_config })),
    ),
    section(
      "ListenersConfigDump",
      "dynamic_listeners",
      of("listeners").map((listener) => ({ active_state: { listener } })),
    ),
  ];
  return { configs };
}

const rowsOf = (dump: unknown, view: string, pattern: RegExp): readonly (readonly string[])[] =>
  (whyTables[view]?.(views[view]?.items(dump) ?? []).rows ?? []).filter((row) => pattern.test(row.join(" ")));

test("routes name the rule, what delegates took over, the VirtualService that lost, and rules never reached", async () => {
  const dump = await dumpOf("web.shop");
  const older = "VirtualService shop/second spec.hosts[1]: older VirtualService wins";
  expect(rowsOf(dump, "routes", /web\.shop/)).toEqual([
    ["80", "web.shop.svc.cluster.local:80", "/", "VirtualService shop/leaf", expect.any(String), older],
    [
      "80",
      "web.shop.svc.cluster.local:80",
      "/*",
      "VirtualService shop/first",
      "spec.http[1]",
      `${older}; VirtualService shop/first spec.http[2]: never reached: this rule before it takes every request`,
    ],
  ]);
  const [first] = rowsOf(dump, "routes", /shop\/leaf/);
  expect(first?.[4]).toContain("timeoutMs: VirtualService shop/first spec.http[0].timeout");
});

test("clusters name the DestinationRule and the one that lost; those of a Service alone say nothing", async () => {
  const dump = await dumpOf("web.shop");
  expect(rowsOf(dump, "clusters", /outbound\|80\|\|web/)).toEqual([
    [
      "outbound|80||web.shop.svc.cluster.local",
      "DestinationRule shop/first",
      "spec.trafficPolicy",
      "DestinationRule shop/second spec.trafficPolicy: older DestinationRule wins",
    ],
  ]);
});

test("the server's chains name the PeerAuthentication", async () => {
  const dump = await dumpOf("web.shop");
  expect(rowsOf(dump, "listeners", /virtualInbound 0\.0\.0\.0_8080/)).toEqual([
    ["virtualInbound", "0.0.0.0_8080", "PeerAuthentication shop/strict", "spec.mtls.mode", ""],
  ]);
});
