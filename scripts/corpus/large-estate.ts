import type { Random } from "../bench/random.ts";
import { doc, namespaceOf, workload } from "./large-parts.ts";

/** Machines and neighbours: sites with virtual machines, external systems, and few pods that talk to them. */
export function estate(next: Random): string {
  const docs = [
    `# An estate of machines: six sites with groups of virtual machines and outside systems, few pods. Made by scripts/corpus.ts.\n${namespaceOf("hub", "istio-injection: enabled")}`,
    ...workload({ namespace: "hub", name: "console", port: 3000, next }),
    ...workload({ namespace: "hub", name: "collector", port: 4000, kind: "DaemonSet", protocol: "tcp-lines", next }),
  ];
  for (let site = 1; site <= 6; site++) {
    const namespace = `site-${site}`;
    docs.push(namespaceOf(namespace, `istio-injection: enabled, site: "${site}"`), sidecar(namespace));
    for (const role of ["historian", "controller"]) docs.push(...machines(namespace, role, { site, next }));
    for (let system = 1; system <= 4; system++)
      docs.push(system % 2 === 0 ? byDns(namespace, system) : byAddress(namespace, site, system));
    docs.push(limits(namespace));
  }
  return docs.join("---\n");
}

function sidecar(namespace: string): string {
  return doc("networking.istio.io/v1", "Sidecar", `${namespace}/default`)`
spec:
  egress: [{ hosts: ["./*", "hub/*"] }]
`;
}

function machines(
  namespace: string,
  role: string,
  { site, next }: { readonly site: number; readonly next: Random },
): readonly string[] {
  const port = 7000 + site;
  const labels = `{ app: ${role}, site: "${site}" }`;
  const count = 2 + Math.floor(next() * 4);
  return [
    doc("v1", "ServiceAccount", `${namespace}/${role}`)`
`,
    doc("networking.istio.io/v1", "WorkloadGroup", `${namespace}/${role}`)`
spec:
  metadata: { labels: ${labels} }
  template: { serviceAccount: ${role}, ports: { http: ${port} } }
  probe: { tcpSocket: { port: ${port} }, periodSeconds: 10 }
`,
    ...Array.from(
      { length: count },
      (_, index) => doc("networking.istio.io/v1", "WorkloadEntry", `${namespace}/${role}-${index}`)`
spec:
  address: 10.${site}.${role.length}.${10 + index}
  labels: ${labels}
  serviceAccount: ${role}
  ports: { http: ${port} }
`,
    ),
    doc("networking.istio.io/v1", "ServiceEntry", `${namespace}/${role}`)`
spec:
  hosts: [${role}.${namespace}.estate.internal]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ number: 80, name: http, protocol: HTTP, targetPort: ${port} }]
  workloadSelector: { labels: ${labels} }
`,
  ];
}

function byDns(namespace: string, system: number): string {
  return doc("networking.istio.io/v1", "ServiceEntry", `${namespace}/vendor-${system}`)`
spec:
  hosts: [vendor-${system}.${namespace}.example.net]
  exportTo: ["."]
  location: MESH_EXTERNAL
  resolution: DNS
  ports: [{ number: 443, name: tls, protocol: TLS }]
`;
}

function byAddress(namespace: string, site: number, system: number): string {
  return doc("networking.istio.io/v1", "ServiceEntry", `${namespace}/plc-${system}`)`
spec:
  hosts: [plc-${system}.${namespace}.plant]
  addresses: [192.168.${site}.${system}]
  exportTo: [".", hub]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{ number: 502, name: tcp-modbus, protocol: TCP }]
  endpoints: [{ address: 192.168.${site}.${100 + system} }]
`;
}

function limits(namespace: string): string {
  return doc("networking.istio.io/v1", "DestinationRule", `${namespace}/plcs`)`
spec:
  host: "*.${namespace}.plant"
  exportTo: ["."]
  trafficPolicy: { connectionPool: { tcp: { maxConnections: 4, connectTimeout: 2s } } }
`;
}
