import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { describe, expect, test } from "vitest";
import { DASHBOARDS } from "../../scripts/gen/dashboards/index.ts";
import { TARGETS } from "../../src/commands/dashboard/targets.ts";
import { ADDON_LABEL, ADDONS, addonImage, renderAddon } from "../../src/install/addons.ts";
import { KIND_ORDER } from "../../src/install/render.ts";
import type { KubeObject } from "../../src/resources/object.ts";

const root = join(import.meta.dirname, "../..");
const NAMESPACE = "istio-system";

interface Container {
  readonly image: string;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly resources?: { readonly requests?: object; readonly limits?: object };
  readonly [key: string]: unknown;
}

function ofKind(objects: readonly KubeObject[], kind: string): KubeObject[] {
  return objects.filter((object) => object.kind === kind);
}

function podOf(objects: readonly KubeObject[]): { labels: Record<string, string>; containers: readonly Container[] } {
  const [deployment] = ofKind(objects, "Deployment");
  if (deployment === undefined) throw new Error("no Deployment");
  const { template } = deployment.spec as {
    template: { metadata: { labels: Record<string, string> }; spec: { containers: readonly Container[] } };
  };
  return { labels: template.metadata.labels, containers: template.spec.containers };
}

describe.each(ADDONS)("%s", (name) => {
  const objects = renderAddon(name, { namespace: NAMESPACE }, { managed: true });

  test("what is applied stands in order, with the label by which it is found", () => {
    const places = objects.map(({ kind }) => KIND_ORDER.indexOf(kind));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    for (const { metadata } of objects) {
      expect(metadata.labels).toMatchObject({ [ADDON_LABEL]: name, "operator.istio.io/managed": "Reconcile" });
      // with one, the next install of that revision would take it away
      expect(metadata.labels).not.toHaveProperty(["istio.io/rev"]);
    }
  });

  test("its container is not root, cannot write to its image, has probes and bounds, and no sidecar", () => {
    const { containers, labels } = podOf(objects);
    expect(labels["sidecar.istio.io/inject"]).toBe("false");
    for (const container of containers) {
      expect(container.securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
      });
      expect(Object.keys(container)).toEqual(
        expect.arrayContaining(["startupProbe", "readinessProbe", "livenessProbe"]),
      );
      const { requests = {}, limits = {} } = container.resources ?? {};
      expect([Object.keys(requests), Object.keys(limits)]).toEqual([["cpu", "memory"], ["memory"]]);
    }
  });

  test("its image is public, of a released version; a mirror takes the place of its registry, another image of all of it", () => {
    const bundled = addonImage(name, {});
    expect(bundled).toMatch(/^[a-z.]+\.[a-z]+\/[a-z-]+\/[a-z-]+:v?\d+\.\d+(\.\d+)?$/);
    const mirrored = addonImage(name, { hub: "mirror.example.com/public/" });
    expect(mirrored).toBe(bundled.replace(/^[^/]+/, "mirror.example.com/public"));
    const own = renderAddon(name, { namespace: NAMESPACE, hub: "no", images: { [name]: "a/b:1" } }, { managed: true });
    expect(podOf(own).containers[0]?.image).toBe("a/b:1");
  });

  test("other settings, other pods: the pod carries a digest of what its program reads", () => {
    const digest = (interval: string): unknown => {
      const rendered = renderAddon(name, { namespace: NAMESPACE, scrapeInterval: interval }, { managed: true });
      const specs = ofKind(rendered, "Deployment").map(
        ({ spec }) => spec as { template: { metadata: { annotations: unknown } } },
      );
      return specs.map(({ template }) => template.metadata.annotations);
    };
    const isTimed = name === "prometheus" || name === "grafana";
    if (isTimed) expect(digest("5s")).not.toEqual(digest("6s"));
    else expect(digest("5s")).toEqual(digest("6s"));
  });

  test("no hole is left, and another namespace is followed everywhere", () => {
    const text = JSON.stringify(renderAddon(name, { namespace: "mesh-root" }, { managed: true }));
    expect(text).not.toMatch(/%[A-Z_]{3,}%|\$\{[a-z]/);
    expect(text).not.toContain("istio-system");
  });

  test("samples/addons has the same objects, for kubectl", () => {
    const text = readFileSync(join(root, "samples/addons", `${name}.yaml`), "utf8");
    const sample = parseAllDocuments(text).map((document) => document.toJS() as KubeObject);
    expect(sample).toEqual(renderAddon(name, { namespace: NAMESPACE }, { managed: false }));
  });

  test("meshctl dashboard finds its pods, at a port that it has", () => {
    const target = Object.hasOwn(TARGETS, name) ? TARGETS[name] : undefined;
    expect(target === undefined).toBe(name === "otel-collector");
    const [key = "", value] = (target?.labels ?? "=").split("=");
    const { labels, containers } = podOf(objects);
    if (target === undefined) return;
    expect(labels[key]).toBe(value);
    const ports = containers.flatMap(({ ports: list }) => list as readonly { containerPort: number }[]);
    expect(ports.map(({ containerPort }) => containerPort)).toContain(target.port);
  });
});

test("every dashboard is a file of Grafana's addon, its panels over its own data source and within its width", () => {
  const config = ofKind(renderAddon("grafana", { namespace: NAMESPACE }, { managed: true }), "ConfigMap").find(
    ({ metadata }) => metadata.name === "grafana-dashboards",
  );
  const data = config?.["data"] as Readonly<Record<string, string>>;
  expect(Object.keys(data)).toEqual(DASHBOARDS.map(({ id }) => `${id}.json`).toSorted());
  const uids = new Set<string>();
  for (const text of Object.values(data)) {
    const { uid, panels } = JSON.parse(text) as { uid: string; panels: readonly GrafanaPanel[] };
    uids.add(uid);
    const places = panels.map(({ gridPos }) => gridPos);
    for (const { x, w } of places) expect(x + w).toBeLessThanOrEqual(24);
    for (const [index, a] of places.entries())
      for (const b of places.slice(index + 1))
        expect(a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y).toBe(true);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  }
  expect(uids.size).toBe(DASHBOARDS.length);
  // kubectl apply keeps the object once more in an annotation, which holds 256 KiB
  expect(JSON.stringify(config).length).toBeLessThan(200_000);
});

interface GrafanaPanel {
  readonly id: number;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

test("the demo profile's providers have the names of the addons' Services", () => {
  const services = ADDONS.flatMap((name) =>
    ofKind(renderAddon(name, { namespace: NAMESPACE }, { managed: true }), "Service"),
  ).map(({ metadata }) => `${metadata.name}.${metadata.namespace ?? ""}.svc.cluster.local`);
  const demo = readFileSync(join(root, "manifests/profiles/demo.yaml"), "utf8");
  const wanted = [...demo.matchAll(/service: (\S+)/g)]
    .map(([, host]) => host)
    .filter((host) => host?.startsWith("tracing") !== true);
  expect(new Set(wanted).size).toBeGreaterThan(2);
  expect(services).toEqual(expect.arrayContaining(wanted));
});
