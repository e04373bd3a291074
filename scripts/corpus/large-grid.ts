import { pick, type Random } from "../bench/random.ts";
import { doc, namespaceOf, workload } from "./large-parts.ts";

const TEAMS = ["solar", "wind", "hydro", "tidal", "nuclear", "storage", "grid", "trade", "meter", "billing"] as const;

/** Gateway API alone: shared gateways of the platform, routes of ten teams, grants between them, routes between services. */
export function grid(next: Random): string {
  const docs = [
    `# A power grid on Gateway API: two shared gateways, ten teams, routes from outside and between services. Made by scripts/corpus.ts.\n${namespaceOf("edge", "istio-injection: enabled")}`,
    ...["public", "partners"].map(
      (name) => doc("gateway.networking.k8s.io/v1", "Gateway", `edge/${name}`)`
spec:
  gatewayClassName: istio
  listeners:
    - name: http
      protocol: HTTP
      port: 80
      hostname: "*.${name}.grid.example.org"
      allowedRoutes: { namespaces: { from: Selector, selector: { matchExpressions: [{ key: exposed, operator: In, values: ["${name}", both] }] } } }
    - { name: tcp, protocol: TCP, port: 9000, allowedRoutes: { namespaces: { from: All } } }
`,
    ),
  ];
  for (const [index, team] of TEAMS.entries()) {
    docs.push(namespaceOf(team, `istio-injection: enabled, exposed: ${index === 9 ? "none" : "both"}`));
    for (const part of ["api", "worker", "feed"]) {
      const protocol = part === "feed" ? "grpc" : "http";
      docs.push(...workload({ namespace: team, name: `${team}-${part}`, port: 8080, protocol, next }));
    }
    docs.push(grantOf(team), ...betweenServices(team, next));
    if (index !== 9) docs.push(...outside(team, next));
  }
  return docs.join("---\n");
}

function grantOf(team: string): string {
  return doc("gateway.networking.k8s.io/v1beta1", "ReferenceGrant", `${team}/api`)`
spec:
  from: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: billing }]
  to: [{ group: "", kind: Service, name: ${team}-api }]
`;
}

function outside(team: string, next: Random): readonly string[] {
  const gateway = pick(next, ["public", "partners"]);
  return [
    doc("gateway.networking.k8s.io/v1", "HTTPRoute", `${team}/public`)`
spec:
  parentRefs: [{ name: ${gateway}, namespace: edge, sectionName: http }]
  hostnames: [${team}.${gateway}.grid.example.org]
  rules:
    - matches: [{ path: { value: /v${1 + Math.floor(next() * 3)} } }]
      backendRefs: [{ name: ${team}-api, port: 80, weight: ${1 + Math.floor(next() * 9)} }, { name: ${team}-worker, port: 80 }]
    - matches: [{ path: { type: Exact, value: /status } }]
      backendRefs: [{ name: ${team}-worker, port: 80 }]
`,
  ];
}

function betweenServices(team: string, next: Random): readonly string[] {
  return [
    doc("gateway.networking.k8s.io/v1", "HTTPRoute", `${team}/api-callers`)`
spec:
  parentRefs: [{ group: "", kind: Service, name: ${team}-api }]
  rules:
    - timeouts: { request: ${2 + Math.floor(next() * 8)}s }
      backendRefs: [{ name: ${team}-api, port: 80 }]
`,
    doc("gateway.networking.k8s.io/v1", "GRPCRoute", `${team}/feed-callers`)`
spec:
  parentRefs: [{ group: "", kind: Service, name: ${team}-feed }]
  rules:
    - matches: [{ method: { service: ${team}.v1.Feed } }]
      backendRefs: [{ name: ${team}-feed, port: 80 }]
`,
  ];
}
