import fc from "fast-check";
import { expect, test } from "vitest";
import type { InjectContext, PodLike } from "../../src/inject/config.ts";
import { inject } from "../../src/inject/inject.ts";
import { uninject } from "../../src/inject/uninject.ts";
import { injectionContext } from "../support/injection.ts";

// Whatever the pod, injection is done once however often it is asked for, and can be taken back.

const label = fc.constantFrom("app", "version", "app.kubernetes.io/name", "service.istio.io/canonical-name", "team");
const probe = fc.constantFrom(
  { httpGet: { path: "/", port: 80, scheme: "HTTPS" }, periodSeconds: 3 },
  { httpGet: { path: "/", port: "web" } },
  { tcpSocket: { port: "unknown" } },
  { tcpSocket: { port: 80 }, timeoutSeconds: 2 },
  { grpc: { port: 9090, service: "s" } },
  { exec: { command: ["a"] } },
);
const container = (names: readonly string[]) =>
  fc.record(
    {
      name: fc.constantFrom(...names),
      image: fc.constantFrom("auto", "x:1"),
      ports: fc.subarray([
        { name: "web", containerPort: 80 },
        { name: "dns", containerPort: 53, protocol: "UDP" as const },
        { name: "dns-tcp", containerPort: 53, protocol: "TCP" as const },
      ]),
      env: fc.constantFrom([], [{ name: "A", value: "1" }], [{ name: "CA_ADDR", value: "mine" }]),
      readinessProbe: probe,
      livenessProbe: probe,
      lifecycle: fc.record({ preStop: probe, postStart: probe }, { requiredKeys: [] }),
      securityContext: fc.constantFrom({ runAsUser: 5 }, { runAsUser: 1337 }, {}),
      volumeMounts: fc.constantFrom([], [{ name: "data", mountPath: "/data" }]),
    },
    { requiredKeys: ["name", "image"] },
  );
const containers = (names: readonly string[], minLength: number) =>
  fc.uniqueArray(container(names), { selector: ({ name }) => name, minLength });

const annotation = fc.constantFrom<[string, string]>(
  ["prometheus.io/port", "9090"],
  ["prometheus.io/scrape", "true"],
  ["prometheus.io/scrape", "false"],
  ["prometheus.istio.io/scrape-targets", "8080:/m,9091"],
  ["note", "a"],
  ["kubectl.kubernetes.io/default-container", "b"],
  ["sidecar.istio.io/nativeSidecar", "true"],
  ["sidecar.istio.io/nativeSidecar", "false"],
  ["sidecar.istio.io/interceptionMode", "NONE"],
  ["sidecar.istio.io/interceptionMode", "TPROXY"],
  ["sidecar.istio.io/bootstrapOverride", "custom"],
  ["sidecar.istio.io/userVolume", '{"data":{"emptyDir":{}}}'],
  ["sidecar.istio.io/rewriteAppHTTPProbers", "false"],
  ["status.sidecar.istio.io/port", "0"],
  ["proxy.istio.io/config", "holdApplicationUntilProxyStarts: true"],
  ["inject.istio.io/templates", "gateway"],
  ["inject.istio.io/templates", "sidecar,extra"],
);

const pods: fc.Arbitrary<PodLike> = fc.record({
  metadata: fc.record(
    {
      name: fc.constantFrom("a", "web-1"),
      labels: fc.dictionary(label, fc.constantFrom("x", "y".repeat(63))),
      annotations: fc.array(annotation, { maxLength: 5 }).map((pairs) => Object.fromEntries(pairs)),
    },
    { requiredKeys: [] },
  ),
  spec: fc.record(
    {
      containers: containers(["app", "b", "istio-proxy"], 1),
      initContainers: containers(["migrate", "first", "istio-proxy-log"], 0),
      volumes: fc.constantFrom([], [{ name: "data", emptyDir: {} }], [{ name: "istio-envoy", emptyDir: {} }]),
      imagePullSecrets: fc.constantFrom([], [{ name: "mine" }]),
      securityContext: fc.constantFrom({}, { fsGroup: 3 }),
    },
    { requiredKeys: ["containers"] },
  ),
});

/** A template that reaches into the application itself: what it does is taken back too. */
const EXTRA = `
metadata: { labels: { extra: "yes" } }
spec:
  securityContext: { fsGroup: 7 }
  containers:
    - { name: app, env: [{ name: B, value: "2" }] }
    - { name: log, image: log:1 }
    - { name: istio-proxy, env: [{ name: C, value: "\${namespace}" }] }
`;

function contextOf(values: readonly string[], more: Partial<InjectContext>): InjectContext {
  const context = injectionContext(values, more);
  return { ...context, config: { ...context.config, templates: { ...context.config.templates, extra: EXTRA } } };
}

const contexts: readonly (readonly [string, InjectContext])[] = [
  ["classic", contextOf([], {})],
  ["native", contextOf([], { nativeSidecars: true })],
  ["CNI", contextOf(["values.pilot.cni.enabled=true"], { nativeSidecars: true })],
  [
    "hold",
    contextOf(
      ["values.global.proxy.holdApplicationUntilProxyStarts=true", "values.global.imagePullSecrets[0]=reg"],
      {},
    ),
  ],
];

test.each(contexts)("property, %s: injecting twice is injecting once", (_, context) => {
  fc.assert(
    fc.property(pods, (pod) => {
      const once = inject(pod, context);
      const twice = inject(once.pod, context);
      expect(twice.pod).toEqual(once.pod);
      expect(twice.patch).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

test.each(contexts)("property, %s: uninject takes back what inject did", (_, context) => {
  fc.assert(
    fc.property(pods, (pod) => {
      const { pod: injected } = inject(pod, context);
      expect(injected.spec).not.toEqual(pod.spec);
      expect(uninject(injected)).toEqual(pod);
    }),
    { numRuns: 100 },
  );
});

test("another injector's settings replace the earlier sidecar", () => {
  const pod: PodLike = { metadata: { name: "a" }, spec: { containers: [{ name: "app", image: "x:1" }] } };
  const [[, classic], [, native]] = contexts as readonly [(typeof contexts)[number], (typeof contexts)[number]];
  expect(inject(inject(pod, classic).pod, native).pod).toEqual(inject(pod, native).pod);
});

test("a pod that somebody else changed after injection loses only what was injected", () => {
  const pod: PodLike = { metadata: { name: "a" }, spec: { containers: [{ name: "app", image: "x:1" }] } };
  const { pod: injected } = inject(pod, injectionContext());
  const theirs = { name: "theirs", image: "y:1" };
  const later: PodLike = {
    metadata: { ...injected.metadata, annotations: { ...injected.metadata?.annotations, theirs: "1" } },
    spec: { ...injected.spec, containers: [...injected.spec.containers, theirs], nodeName: "n" },
  };
  expect(uninject(later)).toEqual({
    metadata: { name: "a", annotations: { theirs: "1" } },
    spec: { containers: [{ name: "app", image: "x:1" }, theirs], nodeName: "n" },
  });
});
