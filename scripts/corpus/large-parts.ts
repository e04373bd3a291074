import type { Random } from "../bench/random.ts";

/** The head of an object, to be followed by the rest: doc("v1", "Service", "shop/web")`spec: …`. Without a slash: no namespace. */
export function doc(
  apiVersion: string,
  kind: string,
  where: string,
): (body: TemplateStringsArray, ...values: unknown[]) => string {
  const [first = "", name] = where.split("/");
  const metadata = name === undefined ? `{ name: ${first} }` : `{ name: ${name}, namespace: ${first} }`;
  return (body, ...values) =>
    `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: ${metadata}${String.raw({ raw: body.raw }, ...values)}`;
}

/** A namespace with labels, as `key: value, …`. */
export function namespaceOf(name: string, labels: string): string {
  return `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n  labels: { ${labels} }\n`;
}

interface WorkloadOptions {
  readonly namespace: string;
  readonly name: string;
  /** Where the pods listen; the Service has port 80. */
  readonly port: number;
  readonly kind?: "Deployment" | "StatefulSet" | "DaemonSet";
  readonly protocol?: string;
  readonly versions?: readonly string[];
  readonly next: Random;
}

/** A service with its account and pods, one object of pods for each version. */
export function workload(options: WorkloadOptions): readonly string[] {
  const { namespace, name, port, protocol = "http", versions = [] } = options;
  return [
    doc("v1", "ServiceAccount", `${namespace}/${name}`)`
`,
    doc("v1", "Service", `${namespace}/${name}`)`
spec:
  selector: { app: ${name} }
  ports: [{ name: ${protocol}, port: 80, targetPort: ${port} }]
`,
    ...(versions.length === 0 ? [undefined] : versions).map((version) => pods(options, version)),
  ];
}

function pods({ namespace, name, port, kind = "Deployment", next }: WorkloadOptions, version?: string): string {
  const labels = version === undefined ? `{ app: ${name} }` : `{ app: ${name}, version: ${version} }`;
  const size = kind === "DaemonSet" ? "" : `\n  replicas: ${1 + Math.floor(next() * 4)}`;
  return doc("apps/v1", kind, `${namespace}/${version === undefined ? name : `${name}-${version}`}`)`
spec:${size}${kind === "StatefulSet" ? `\n  serviceName: ${name}` : ""}
  selector: { matchLabels: ${labels} }
  template:
    metadata: { labels: ${labels} }
    spec:
      serviceAccountName: ${name}
      containers:
        - name: app
          image: registry.example.org/${name}:${1 + Math.floor(next() * 9)}.${Math.floor(next() * 20)}
          ports: [{ containerPort: ${port} }]
          readinessProbe: { tcpSocket: { port: ${port} } }
`;
}
