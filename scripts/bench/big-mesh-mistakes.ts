import { apiRoute, route, split, type Unit, type UnitObjects } from "./big-mesh-objects.ts";

/** A mistake that has to be found. */
export interface Planted {
  /** What the finding is called. */
  readonly code: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** The objects of a service with one mistake in them, and what is to be said about it. */
export type Mistake = (unit: Unit, objects: UnitObjects) => { readonly changed: UnitObjects; readonly found: Planted };

type Change = (unit: Unit, objects: UnitObjects) => Partial<UnitObjects>;

/** A mistake of an object that bears the service's name, or `suffix` behind it. */
function mistake(code: string, kind: string, change: Change, suffix = ""): Mistake {
  return (unit, objects) => ({
    changed: { ...objects, ...(change(unit, objects) as UnitObjects) },
    found: { code, kind, namespace: unit.namespace, name: `${unit.name}${suffix}` },
  });
}

/** Replaces `from`, which has to be there: a planted mistake that is none would make a test of nothing. */
function swap(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`nothing to make wrong: ${from} is not in\n${text}`);
  return text.replace(from, to);
}

function plain({ namespace, name }: Unit, more = ""): string {
  return `    - route:
        - destination:
            host: ${name}.${namespace}.svc.cluster.local
            port: { number: 80 }
${more}`;
}

/** Two ports, so that a destination has to name one. */
function withSecondPort(unit: Unit, { service, first, second }: UnitObjects): Partial<UnitObjects> {
  if (unit.ports === 2) return {};
  const container = (text: string): string =>
    swap(
      text,
      "          env:\n",
      `            - name: grpc\n              containerPort: ${unit.port + 1000}\n          env:\n`,
    );
  return {
    service: `${service}    - name: grpc\n      port: 81\n      targetPort: grpc\n`,
    first: container(first),
    second: container(second),
  };
}

/** Every kind of mistake, in the order in which they take turns. */
export const MISTAKES: readonly Mistake[] = [
  // a subset that the DestinationRule does not have
  mistake("IST0101", "VirtualService", (_unit, { route: text }) => ({
    route: swap(text, "subset: v2", "subset: v3"),
  })),
  // a host that no service has
  mistake("IST0101", "VirtualService", (unit) => ({
    route: route(unit, swap(plain(unit), `host: ${unit.name}.`, `host: ${unit.name}-old.`)),
  })),
  // a port that the service does not have
  mistake("IST0101", "VirtualService", (unit) => ({
    route: route(unit, swap(plain(unit), "number: 80", "number: 8081")),
  })),
  // a gateway that is not there
  mistake("IST0101", "VirtualService", (unit) => ({
    route: swap(route({ ...unit, exposed: true }, split(unit)), "    - public\n", "    - pubic\n"),
  })),
  // a host that the gateway does not serve
  mistake(
    "IST0132",
    "VirtualService",
    (unit, { route: internal }) => ({
      route: internal,
      outside: swap(
        route({ ...unit, exposed: false }, plain(unit, "            subset: v1\n"), `${unit.name}-outside`),
        `    - ${unit.name}.${unit.namespace}.svc.cluster.local\n`,
        `    - ${unit.name}.${unit.namespace}.example.org\n  gateways:\n    - public\n`,
      ),
    }),
    "-outside",
  ),
  // no port named, and the service has two
  mistake("IST0112", "VirtualService", (unit, objects) => ({
    ...withSecondPort(unit, objects),
    route: route(unit, swap(plain(unit), "            port: { number: 80 }\n", "")),
  })),
  // a duration that is none
  mistake("IST0106", "VirtualService", (unit, { route: text }) => ({
    route: swap(text, `timeout: ${unit.timeout}s`, `timeout: ${unit.timeout} seconds`),
  })),
  // a field that does not exist
  mistake("IST0106", "DestinationRule", (_unit, { rule }) => ({
    rule: swap(rule, "consecutive5xxErrors", "consecutive5xxErors"),
  })),
  // a rule for a service that is not there
  mistake(
    "IST0174",
    "DestinationRule",
    (unit) => ({
      legacy: `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: ${unit.name}-legacy
  namespace: ${unit.namespace}
spec:
  host: ${unit.name}-legacy.${unit.namespace}.svc.cluster.local
  trafficPolicy:
    loadBalancer: { simple: LEAST_REQUEST }
`,
    }),
    "-legacy",
  ),
  // a subset whose labels no pod carries
  mistake("IST0173", "DestinationRule", (_unit, { rule }) => ({
    rule: `${rule}    - name: v9\n      labels: { version: v9 }\n`,
  })),
  // a policy for pods that are not there
  mistake("IST0127", "AuthorizationPolicy", (unit, { policy }) => ({
    policy: swap(policy, `app: ${unit.name}`, `app: ${unit.name}-backend`),
  })),
  // a caller's namespace that does not exist
  mistake("IST0101", "AuthorizationPolicy", (unit, { policy }) => ({
    policy: swap(
      policy,
      `namespaces: ["${unit.namespace}"`,
      `namespaces: ["${unit.namespace}", "nobody-${unit.namespace}"`,
    ),
  })),
  // a port whose name says no protocol
  mistake("IST0118", "Service", (unit, objects) => ({
    service:
      `${(withSecondPort(unit, objects).service ?? objects.service).replace(/ {4}- name: grpc\n[\s\S]*$/, "")}    - name: adminui
      port: 9090
      targetPort: http
`.replace("targetPort: http\n", `targetPort: ${unit.port + 1}\n`),
    first: swap(
      objects.first,
      "          env:\n",
      `            - { name: admin, containerPort: ${unit.port + 1} }\n          env:\n`,
    ),
    second: swap(
      objects.second,
      "          env:\n",
      `            - { name: admin, containerPort: ${unit.port + 1} }\n          env:\n`,
    ),
  })),
  // two VirtualServices for one host
  mistake(
    "IST0109",
    "VirtualService",
    (unit) => ({
      again: route({ ...unit, exposed: false }, plain(unit), `${unit.name}-again`),
    }),
    "-again",
  ),
  // a rule behind one that takes everything
  mistake("IST0130", "VirtualService", (unit) => ({
    route: route(unit, `${split(unit)}${swap(plain(unit), "    - route:", "    - name: never\n      route:")}`),
  })),
  // the proxy's own user
  mistake(
    "IST0144",
    "Deployment",
    (_unit, { first }) => ({
      first: swap(first, "      containers:\n", "      securityContext: { runAsUser: 1337 }\n      containers:\n"),
    }),
    "-v1",
  ),
  // a Gateway for pods that are not there
  mistake(
    "IST0101",
    "Gateway",
    (unit) => ({
      gateway: `apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: ${unit.name}-private
  namespace: ${unit.namespace}
spec:
  selector: { istio: private-gateway }
  servers:
    - port: { number: 80, name: http, protocol: HTTP }
      hosts: ["./${unit.name}.${unit.namespace}.private.example.com"]
`,
    }),
    "-private",
  ),
  // an annotation with a typing error
  mistake(
    "IST0108",
    "Deployment",
    (_unit, { second }) => ({
      second: swap(second, "      annotations:\n", '      annotations:\n        sidecar.istio.io/proxyCPUs: "1"\n'),
    }),
    "-v2",
  ),
  // a route to a service that is not there
  mistake(
    "MSH0724",
    "HTTPRoute",
    (unit) => ({ api: apiRoute(unit, `${unit.name}-gone`, `${unit.name}.${unit.namespace}.api.example.com`) }),
    "-api",
  ),
  // a route for a host that the Gateway does not serve
  mistake("MSH0723", "HTTPRoute", (unit) => ({ api: apiRoute(unit, unit.name, `${unit.name}.example.org`) }), "-api"),
];
