import { expect, test } from "vitest";
import type { KubeObject } from "../../src/resources/object.ts";
import { renderedObjects } from "../support/injection.ts";

// A cluster whose control plane is elsewhere: what leads there.

const of = (kind: string, set: readonly string[]): readonly KubeObject[] =>
  renderedObjects("remote", set).filter((object) => object.kind === kind);

/** How the API server calls the first webhook of a kind. */
function client(kind: string, set: readonly string[]): unknown {
  const [configuration] = of(kind, set);
  return (configuration?.["webhooks"] as readonly { readonly clientConfig: unknown }[] | undefined)?.[0]?.clientConfig;
}

test("an address is where Service istiod leads, by a slice of its family; a name is followed by DNS", () => {
  const slice = (address: string) => of("EndpointSlice", [`values.global.remotePilotAddress=${address}`])[0];
  expect(slice("192.0.2.7")).toMatchObject({ addressType: "IPv4", endpoints: [{ addresses: ["192.0.2.7"] }] });
  expect(slice("2001:db8::7")).toMatchObject({ addressType: "IPv6", endpoints: [{ addresses: ["2001:db8::7"] }] });
  expect(slice("istiod.example.com")).toBeUndefined();
  const [service] = of("Service", ["values.global.remotePilotAddress=istiod.example.com"]);
  expect(service?.spec).toMatchObject({ type: "ExternalName", externalName: "istiod.example.com" });
  expect(of("Service", ["values.global.remotePilotAddress=192.0.2.7"])[0]?.spec).not.toHaveProperty("type");
});

test("the injector is told cluster and network by the path, or asked by URL", () => {
  const named = ["values.global.multiCluster.clusterName=west"];
  const path = (set: readonly string[]) =>
    (client("MutatingWebhookConfiguration", set) as { readonly service: { readonly path: string } }).service.path;
  expect(path([])).toBe("/inject");
  expect(path(named)).toBe("/inject/cluster/west");
  expect(path([...named, "values.global.network=a/b"])).toBe("/inject/cluster/west/net/a--slash--b");
  expect(path([...named, "values.istiodRemote.injectionPath=/inject/cluster/w"])).toBe("/inject/cluster/w");
  const url = "https://istiod.example.com/inject";
  expect(client("MutatingWebhookConfiguration", [`values.istiodRemote.injectionURL=${url}`])).toEqual({ url });
});

test("a cluster that a control plane outside is configured in has its objects, and nothing that runs", () => {
  const kinds = (set: readonly string[]) => new Set(renderedObjects("remote", set).map(({ kind }) => kind));
  expect(kinds([])).not.toContain("ConfigMap");
  expect(kinds([])).not.toContain("ValidatingWebhookConfiguration");
  const set = ["values.global.configCluster=true"];
  for (const kind of ["ConfigMap", "ServiceAccount", "ClusterRole", "ValidatingWebhookConfiguration"])
    expect(kinds(set)).toContain(kind);
  expect(kinds(set)).not.toContain("Deployment");
  const url = "https://istiod.example.com/validate";
  expect(client("ValidatingWebhookConfiguration", [...set, `values.base.validationURL=${url}`])).toEqual({ url });
});

test("a control plane that works for another cluster has the way to it, and no webhooks of its own", () => {
  const set = ["values.global.externalIstiod=true", "values.global.operatorManageWebhooks=true"];
  const objects = renderedObjects("default", set);
  expect(objects.filter(({ kind }) => kind.endsWith("WebhookConfiguration"))).toEqual([]);
  const istiod = objects.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === "istiod");
  expect(JSON.stringify(istiod?.spec)).toContain('"secretName":"istio-kubeconfig"');
  expect(JSON.stringify(renderedObjects("default"))).not.toContain("istio-kubeconfig");
});
