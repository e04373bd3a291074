import { expect, test } from "vitest";
import { hintOf, messageOf } from "../../src/diagnostics/codes.ts";
import { readManifests } from "../../src/resources/manifests.ts";
import { validateObject } from "../../src/validation/index.ts";

/** What validation says of a text: `line:column words | hint` per finding. */
function said(text: string): readonly string[] {
  const { objects } = readManifests([{ file: "f.yaml", text }]);
  return objects.flatMap(({ object, position }) =>
    validateObject(object).map((found) => {
      const { line, column } = position(found.path);
      const hint = hintOf(found);
      return `${line}:${column} ${messageOf(found)}${hint === undefined ? "" : ` | ${hint}`}`;
    }),
  );
}

const configMap = (data: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: istio\n  namespace: istio-system\ndata:\n${data}`;

test("a typo in the mesh configuration is told with the nearest name, at its place in the file", () => {
  const text = configMap(
    [
      "  mesh: |",
      "    # the mesh",
      "",
      "    defaultConfig:",
      "      concurency: 2",
      "    accessLogEncoding: XML",
      "",
    ].join("\n"),
  );
  expect(said(text)).toEqual([
    '12:5 Schema validation error: mesh.accessLogEncoding: expected one of TEXT, JSON, got "XML"',
    "11:7 Schema validation error: mesh.defaultConfig has no field concurency | Did you mean concurrency?",
  ]);
});

test("blocks with their own indentation, quotes and flow keep their places", () => {
  const quoted = configMap(`  mesh: "trustDomains: x"\n  meshNetworks: '{networks: {east: {endpoint: []}}}'\n`);
  expect(said(quoted)).toEqual([
    "7:10 Schema validation error: mesh has no field trustDomains | Did you mean trustDomain?",
    "8:37 Schema validation error: meshNetworks.networks.east has no field endpoint | Did you mean endpoints?",
  ]);
  const deep = configMap("  mesh: |-\n          trustDomain: a\n          rootNamespaces: b\n");
  expect(said(deep)).toEqual([
    "9:11 Schema validation error: mesh has no field rootNamespaces | Did you mean rootNamespace?",
  ]);
  // a folded text has no lines of its own: the key is the place
  const folded = configMap("  mesh: >-\n    {rootNamespaces: b}\n");
  expect(said(folded)).toEqual([
    "7:3 Schema validation error: mesh has no field rootNamespaces | Did you mean rootNamespace?",
  ]);
});

test("settings of proxies that change nothing are told, with the reason, wherever they stand", () => {
  const mesh = configMap("  mesh: |\n    defaultConfig:\n      concurrency: 2\n      statNameLength: 100\n");
  expect(said(mesh)).toEqual([
    "10:7 Schema validation warning: accepted, has no effect: defaultConfig.statNameLength (Envoy has had no limit to set since 1.9) | Do not rely on it.",
  ]);
  const fields = configMap(
    "  mesh: |\n    discoverySelectors:\n    - matchLabels: { mesh: on }\n    proxyHttpPort: 0\n",
  );
  expect(said(fields)).toContain(
    "8:5 Schema validation warning: accepted, has no effect: discoverySelectors (all namespaces are looked at; a Sidecar narrows what proxies see) | Do not rely on it.",
  );
  const annotated = [
    "apiVersion: v1",
    "kind: Pod",
    "metadata:",
    "  name: web",
    "  annotations:",
    "    proxy.istio.io/config: |",
    "      connectionSettings:",
    "        listenerConnectionLimit: 9",
    "spec: { containers: [] }",
  ];
  expect(said(annotated.join("\n"))[0]).toMatch(
    /^8:9 .*accepted, has no effect: connectionSettings.listenerConnectionLimit/,
  );
});

test("null is absent, and a provider is of exactly one sort", () => {
  const text = configMap(
    "  mesh: |\n    discoverySelectors:\n    extensionProviders:\n    - name: a\n      prometheus: {}\n      sds: null\n    - name: b\n",
  );
  const [only, ...others] = said(text);
  expect(only).toMatch(/^13:7 .*mesh\.extensionProviders\[1\]: expected exactly one of envoyExtAuthzHttp/);
  expect(others).toEqual([]);
});

test("two providers of one name, and times that are none, are refused", () => {
  const text = configMap(
    "  mesh: |\n    connectTimeout: 0s\n    extensionProviders:\n    - { name: a, prometheus: {} }\n    - { name: a, sds: { name: b, service: c, port: 1 } }\n",
  );
  expect(said(text)).toEqual([
    expect.stringMatching(/^8:5 .*mesh\.connectTimeout/),
    '11:7 Schema validation error: mesh.extensionProviders: two entries with name "a" | Remove one of them.',
  ]);
});

test("text that is no YAML is told with its line", () => {
  expect(said(configMap("  mesh: |\n    a: b\n    c: [\n"))).toEqual([
    expect.stringMatching(/^7:3 Schema validation error: mesh: cannot be read as YAML: .* \(line \d of the text\)$/),
  ]);
});

test("other ConfigMaps are left alone", () => {
  expect(said(configMap("  mesh: 'no: fields'\n").replace("name: istio", "name: other"))).toEqual([]);
  expect(said(configMap("  mesh: 'no: fields'\n").replace("name: istio", "name: istio-canary"))).toHaveLength(1);
});

test("annotation proxy.istio.io/config is checked on pods and in templates", () => {
  const annotated = `annotations: { proxy.istio.io/config: '{"holdApplicationUntilProxyStart": true}' }`;
  const pod = `apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  ${annotated}\nspec: { containers: [] }\n`;
  const words =
    "Schema validation error: proxyConfig has no field holdApplicationUntilProxyStart | Did you mean holdApplicationUntilProxyStarts?";
  expect(said(pod)).toEqual([`5:43 ${words}`]);
  const cron = `apiVersion: batch/v1\nkind: CronJob\nmetadata: { name: c }\nspec:\n  schedule: "* * * * *"\n  jobTemplate:\n    spec:\n      template:\n        metadata:\n          ${annotated}\n`;
  expect(said(cron)).toEqual([`10:51 ${words}`]);
});

test("an IstioOperator is closed down to its values; unvalidatedValues are not", () => {
  const text = `apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: { namespace: istio-system }
spec:
  profil: demo
  tag: 1.2
  meshConfig: { outboundTrafficPolicy: { mode: REGISTRY }, defaultConfig: { proxyMetadata: { ISTIO_DUAL_STACK: true } } }
  components:
    ingressGateways: [{ name: a, enable: true }]
    pilot: { k8s: { env: [{ name: A, value: b }], resources: { requests: { cpu: 1 } } } }
  values: { global: { proxy: { logLevl: info } }, gateways: { istio-ingressgateway: { autoscaleMin: 2 } } }
  unvalidatedValues: { anything: { at: all } }
`;
  expect(said(text)).toEqual([
    "5:3 Schema validation error: spec has no field profil | Did you mean profile?",
    '7:42 Schema validation error: spec.meshConfig.outboundTrafficPolicy.mode: expected one of REGISTRY_ONLY, ALLOW_ANY, ALLOW_ANY_DYNAMIC_DNS, got "REGISTRY"',
    "9:34 Schema validation error: spec.components.ingressGateways[0] has no field enable | Did you mean enabled?",
    "11:32 Schema validation error: spec.values.global.proxy has no field logLevl | Did you mean logLevel?",
  ]);
});
