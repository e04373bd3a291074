import type { KubeObject } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/**
 * Objects of a CRD that is too old, or of a kind that is gone, are kept by the API server and read by nobody.
 */
export const crdVersion = defineAnalyzer({
  name: "crd-version",
  summary: "Checks that CRDs of Gateway API are new enough, and finds those of kinds that Istio no longer has.",
  reads: ["CustomResourceDefinition"],
  codes: ["IST0002", "IST0156", "IST0172", "IST0176"],
  analyze: (input) => {
    for (const object of input.world.list("CustomResourceDefinition")) {
      const spec = (object.spec ?? {}) as CrdSpec;
      if (spec.group === "rbac.istio.io") checkRemoved(input, object, spec);
      if (spec.group === "gateway.networking.k8s.io") {
        checkServed(input, object, spec);
        checkBundle(input, object);
      }
    }
  },
});

type Input = AnalyzerInput<"CustomResourceDefinition", "IST0002" | "IST0156" | "IST0172" | "IST0176">;

interface CrdSpec {
  readonly group?: string;
  readonly names?: { readonly kind?: string };
  readonly versions?: readonly { readonly name: string; readonly served?: boolean }[];
}

const REMOVED: readonly string[] = ["ClusterRbacConfig", "RbacConfig", "ServiceRole", "ServiceRoleBinding"];

function checkRemoved({ report }: Input, object: KubeObject, { names: { kind = "" } = {} }: CrdSpec): void {
  if (!REMOVED.includes(kind)) return;
  const field = `kind ${kind} of rbac.istio.io, which was removed`;
  const instead = "Use AuthorizationPolicy, and delete this CRD.";
  report(object, ["spec", "names", "kind"], "IST0002", { kind: "CustomResourceDefinition", field, instead });
}

/** Kinds of Gateway API -> the version that is needed, and with how little it will do today. */
const NEEDED: Readonly<Record<string, "v1" | "v1beta1">> = {
  Gateway: "v1",
  GatewayClass: "v1",
  HTTPRoute: "v1",
  GRPCRoute: "v1",
  ReferenceGrant: "v1beta1",
};

function checkServed(
  { report }: Input,
  object: KubeObject,
  { names: { kind = "" } = {}, versions = [] }: CrdSpec,
): void {
  const served = versions.filter((version) => version.served !== false).map(({ name }) => name);
  const needed = Object.hasOwn(NEEDED, kind) ? NEEDED[kind] : undefined;
  if (needed === undefined || served.includes("v1") || served.length === 0) return;
  const args = { crd: object.metadata.name, served: served.join(", ") };
  if (!served.includes("v1beta1")) report(object, ["spec", "versions"], "IST0156", args);
  else if (needed === "v1") report(object, ["spec", "versions"], "IST0172", args);
}

/** CRD -> the release of Gateway API whose form of it is needed (Istio 1.30). */
const MINIMUM: Readonly<Record<string, string>> = {
  "grpcroutes.gateway.networking.k8s.io": "1.1.0",
  "backendtlspolicies.gateway.networking.k8s.io": "1.4.0",
  "tlsroutes.gateway.networking.k8s.io": "1.5.0",
  "tcproutes.gateway.networking.k8s.io": "1.6.0",
};

const BUNDLE_VERSION = "gateway.networking.k8s.io/bundle-version";

function checkBundle({ report }: Input, object: KubeObject): void {
  const crd = object.metadata.name;
  const minimum = Object.hasOwn(MINIMUM, crd) ? MINIMUM[crd] : undefined;
  const installed = object.metadata.annotations?.[BUNDLE_VERSION];
  const numbers = /^v?(\d+)\.(\d+)\.(\d+)/.exec(installed ?? "")?.slice(1);
  if (minimum === undefined || installed === undefined || numbers === undefined) return;
  if (isBelow(numbers.map(Number), minimum.split(".").map(Number)))
    report(object, ["metadata", "annotations", BUNDLE_VERSION], "IST0176", { crd, installed, minimum });
}

function isBelow(version: readonly number[], minimum: readonly number[]): boolean {
  const at = minimum.findIndex((part, index) => part !== version[index]);
  return at >= 0 && (version[at] ?? 0) < (minimum[at] ?? 0);
}
