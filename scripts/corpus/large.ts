import { pick, type Random, random } from "../bench/random.ts";
import { estate } from "./large-estate.ts";
import { grid } from "./large-grid.ts";
import { doc, namespaceOf, workload } from "./large-parts.ts";

/**
 * The large meshes of test/corpus by name: too long to write by hand, so made from a fixed seed. `scripts/corpus.ts` writes them;
 * test/contract/corpus.test.ts holds the files to this.
 */
export function largeMeshes(): Readonly<Record<string, string>> {
  return { "large-city": city(random(11)), "large-estate": estate(random(13)), "large-grid": grid(random(12)) };
}

const DISTRICTS = ["harbour", "market", "castle", "station", "airport", "museum", "stadium", "library"] as const;
const TRADES = ["desk", "ledger", "planner", "stream", "cache", "notifier"] as const;

/** Istio's own kinds: districts with services that call across namespaces, a gateway each, policies by caller. */
function city(next: Random): string {
  const docs = [
    `# A city: eight districts, each a namespace with its own gateway, services, policies and limits. Made by scripts/corpus.ts.\n${namespaceOf("town-hall", "istio-injection: enabled")}`,
    ...workload({ namespace: "town-hall", name: "register", port: 8080, kind: "StatefulSet", next }),
  ];
  for (const [index, district] of DISTRICTS.entries()) {
    docs.push(namespaceOf(district, "istio-injection: enabled"), ...districtGateway(district));
    const trades = TRADES.slice(0, 3 + (index % 4));
    for (const [at, trade] of trades.entries()) {
      const name = `${district}-${trade}`;
      docs.push(
        ...workload({ namespace: district, name, port: 8000 + at, next, versions: at === 0 ? ["v1", "v2"] : [] }),
      );
      docs.push(...tradeRules(district, name, { at, port: 8000 + at, next }));
    }
    docs.push(peerAuthentication(district, pick(next, ["STRICT", "PERMISSIVE"])));
  }
  return docs.join("---\n");
}

function districtGateway(district: string): readonly string[] {
  const labels = `{ app: ${district}-gateway, istio: ${district}-gateway }`;
  return [
    ...gatewayPods(district, labels),
    doc("networking.istio.io/v1", "Gateway", `${district}/public`)`
spec:
  selector: ${labels}
  servers:
    - port: { number: 80, name: http, protocol: HTTP }
      hosts: ["./*.${district}.example.org"]
`,
  ];
}

function gatewayPods(district: string, labels: string): readonly string[] {
  return [
    doc("v1", "Service", `${district}/${district}-gateway`)`
spec:
  type: LoadBalancer
  selector: ${labels}
  ports: [{ name: http2, port: 80, targetPort: 8080 }]
`,
    doc("apps/v1", "Deployment", `${district}/${district}-gateway`)`
spec:
  selector: { matchLabels: ${labels} }
  template:
    metadata:
      labels: ${labels.replace(" }", ', sidecar.istio.io/inject: "true" }')}
      annotations: { inject.istio.io/templates: gateway }
    spec:
      containers: [{ name: istio-proxy, image: auto, ports: [{ containerPort: 8080 }] }]
`,
  ];
}

function tradeRules(
  district: string,
  name: string,
  { at, port, next }: { readonly at: number; readonly port: number; readonly next: Random },
): readonly string[] {
  const host = `${name}.${district}.svc.cluster.local`;
  const to = (subset: string, weight: number): string =>
    `        - { destination: { host: ${host}, subset: ${subset}, port: { number: 80 } }, weight: ${weight} }\n`;
  const route =
    at === 0
      ? `${to("v1", 75)}${to("v2", 25)}`
      : `        - { destination: { host: ${host}, port: { number: 80 } } }\n`;
  const subsets =
    at === 0 ? "\n  subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }]" : "";
  return [
    doc("networking.istio.io/v1", "VirtualService", `${district}/${name}`)`
spec:
  hosts: [${host}, ${name}.${district}.example.org]
  gateways: [mesh, public]
  http:
    - timeout: ${1 + Math.floor(next() * 9)}s
      route:
${route}`,
    doc("networking.istio.io/v1", "DestinationRule", `${district}/${name}`)`
spec:
  host: ${host}
  trafficPolicy:
    connectionPool: { tcp: { maxConnections: ${10 + Math.floor(next() * 90)} } }${subsets}
`,
    doc("security.istio.io/v1", "AuthorizationPolicy", `${district}/${name}`)`
spec:
  selector: { matchLabels: { app: ${name} } }
  rules:
    - from: [{ source: { namespaces: [${district}, town-hall] } }]
      to: [{ operation: { ports: ["${port}"] } }]
`,
  ];
}

function peerAuthentication(district: string, mode: string): string {
  return doc("security.istio.io/v1", "PeerAuthentication", `${district}/default`)`
spec: { mtls: { mode: ${mode} } }
`;
}
