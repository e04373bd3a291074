// Objects for both servers: one of each kind, and more where cells of its table depend on what is in the object.

export const shop = "/api/v1/namespaces/shop";
export const apps = "/apis/apps/v1/namespaces/shop";
export const template = {
  metadata: { labels: { app: "web" } },
  spec: {
    containers: [
      { name: "app", image: "i:1" },
      { name: "log", image: "j:2" },
    ],
  },
};
export const selector = { matchLabels: { app: "web" } };
const job = { ...template, spec: { ...template.spec, restartPolicy: "Never" } };
const rbac = "/apis/rbac.authorization.k8s.io/v1";
const READER = [
  { apiGroups: ["", "apps"], resources: ["pods", "deployments"], verbs: ["list", "watch"] },
  { apiGroups: [""], resources: ["configmaps"], resourceNames: ["a"], verbs: ["get"] },
];
const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "reader" };
const subjects = [
  { kind: "ServiceAccount", namespace: "shop", name: "web" },
  { kind: "Group", apiGroup: "rbac.authorization.k8s.io", name: "staff" },
  { kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "ann" },
];
const webhook = {
  name: "a.example.org",
  admissionReviewVersions: ["v1"],
  sideEffects: "None",
  failurePolicy: "Ignore",
  clientConfig: { url: "https://a.example.org" },
};

const PAGES = ["1", "2", "3", "4", "5"].map(
  (n) =>
    [
      `${shop}/configmaps`,
      { metadata: { name: `page-${n}`, labels: { even: Number(n) % 2 === 0 ? "yes" : "no" } } },
    ] as const,
);

/** Paths and what is posted there. */
export const OBJECTS: readonly (readonly [path: string, object: object])[] = [
  ...PAGES,
  [`${shop}/configmaps`, { metadata: { name: "a" }, data: { x: "1", y: "2" }, binaryData: { z: "AA==" } }],
  [`${shop}/secrets`, { metadata: { name: "s" }, type: "Opaque", stringData: { p: "q" } }],
  [`${shop}/serviceaccounts`, { metadata: { name: "web" } }],
  [`${shop}/pods`, { metadata: { name: "p" }, spec: { ...template.spec, readinessGates: [{ conditionType: "x/y" }] } }],
  [`${shop}/pods`, { metadata: { name: "q" }, spec: { ...template.spec, nodeName: "n1" } }],
  [
    `${shop}/services`,
    {
      metadata: { name: "ports" },
      spec: {
        clusterIP: "10.96.77.1",
        selector: { app: "web", tier: "x" },
        ports: [
          { name: "a", port: 80 },
          { name: "b", port: 53, protocol: "UDP" },
        ],
      },
    },
  ],
  [`${shop}/services`, { metadata: { name: "headless" }, spec: { clusterIP: "None", ports: [{ port: 80 }] } }],
  [`${shop}/services`, { metadata: { name: "named" }, spec: { type: "ExternalName", externalName: "x.example.org" } }],
  [
    `${shop}/services`,
    {
      metadata: { name: "balanced" },
      spec: { type: "LoadBalancer", clusterIP: "10.96.77.2", ports: [{ port: 80, nodePort: 30080 }] },
    },
  ],
  [
    `${shop}/endpoints`,
    {
      metadata: { name: "ports" },
      subsets: [{ addresses: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }], ports: [{ name: "a", port: 80 }] }],
    },
  ],
  [
    `${shop}/events`,
    {
      metadata: { name: "e" },
      involvedObject: { kind: "Pod", namespace: "shop", name: "p" },
      reason: "Pulled",
      message: "words ",
      type: "Normal",
    },
  ],
  ["/api/v1/nodes", { metadata: { name: "n1", labels: { "node-role.kubernetes.io/worker": "" } } }],
  [`${apps}/deployments`, { metadata: { name: "web" }, spec: { replicas: 3, selector, template } }],
  [`${apps}/replicasets`, { metadata: { name: "web" }, spec: { replicas: 2, selector, template } }],
  [
    `${apps}/statefulsets`,
    { metadata: { name: "web" }, spec: { replicas: 2, serviceName: "web", selector, template } },
  ],
  [
    `${apps}/daemonsets`,
    {
      metadata: { name: "web" },
      spec: { selector, template: { ...template, spec: { ...template.spec, nodeSelector: { a: "b" } } } },
    },
  ],
  ["/apis/batch/v1/namespaces/shop/jobs", { metadata: { name: "once" }, spec: { completions: 3, template: job } }],
  [
    "/apis/batch/v1/namespaces/shop/cronjobs",
    { metadata: { name: "nightly" }, spec: { schedule: "0 3 * * *", jobTemplate: { spec: { template: job } } } },
  ],
  [
    "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices",
    {
      metadata: { name: "slice" },
      addressType: "IPv4",
      ports: [{ port: 80 }, { port: 81, name: "b" }],
      endpoints: ["1", "2", "3", "4"].map((last) => ({ addresses: [`10.0.0.${last}`] })),
    },
  ],
  ["/apis/coordination.k8s.io/v1/namespaces/shop/leases", { metadata: { name: "l" }, spec: { holderIdentity: "me" } }],
  [`${rbac}/clusterroles`, { metadata: { name: "reader" }, rules: READER }],
  [`${rbac}/namespaces/shop/roles`, { metadata: { name: "r" }, rules: [] }],
  [`${rbac}/namespaces/shop/rolebindings`, { metadata: { name: "r" }, roleRef, subjects }],
  [`${rbac}/clusterrolebindings`, { metadata: { name: "contract" }, roleRef, subjects }],
  [
    "/apis/policy/v1/namespaces/shop/poddisruptionbudgets",
    { metadata: { name: "b" }, spec: { minAvailable: "50%", selector } },
  ],
  [
    "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers",
    {
      metadata: { name: "h" },
      spec: {
        maxReplicas: 5,
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
        metrics: [
          { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
        ],
      },
    },
  ],
  [
    "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies",
    { metadata: { name: "n" }, spec: { podSelector: selector } },
  ],
  [
    "/apis/networking.k8s.io/v1/namespaces/shop/ingresses",
    {
      metadata: { name: "i" },
      spec: {
        ingressClassName: "c",
        tls: [{ hosts: ["a.example.org"] }],
        rules: [{ host: "a.example.org" }, { host: "b.example.org" }],
      },
    },
  ],
  ["/apis/scheduling.k8s.io/v1/priorityclasses", { metadata: { name: "high" }, value: 1000 }],
  [
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    { metadata: { name: "m" }, webhooks: [webhook, { ...webhook, name: "b.example.org" }] },
  ],
  [
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    { metadata: { name: "v" }, webhooks: [webhook] },
  ],
];
