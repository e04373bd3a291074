import { category, failed, type Outcome, ok, skipped, verdict } from "../check.ts";
import type { Facts } from "../facts.ts";
import { has, nameOf, versionNumbers } from "../names.ts";
import type { Shapes } from "../shapes.ts";

type Crd = Shapes["CustomResourceDefinition"];

const GROUP = "gateway.networking.k8s.io";
const BUNDLE = `${GROUP}/bundle-version`;
const CHANNEL = `${GROUP}/channel`;
const CONTROLLER = "istio.io/gateway-controller";
/** First bundle with GRPCRoute in v1. */
const OLDEST = { major: 1, minor: 1 };
/** Kinds that every release has. */
const BASIC = ["gatewayclasses", "gateways", "httproutes", "referencegrants"];
const HINT = "install one release of Gateway API's CRDs as its project describes; the mesh never writes them";

/** Whether Gateway API is there in a form that works. Many meshes do without: absence is no failure. */
export const gatewayApiChecks = category("Gateway API", [
  {
    name: "gateway-api",
    affirmation: "Gateway API is there, and whole",
    hint: HINT,
    about:
      "Its Gateways and routes can be used when the cluster has its CRDs. They belong to the cluster, not to the mesh.",
    severity: "warning",
    run: async (facts) => {
      const own = await crds(facts);
      if (own.length === 0)
        return skipped("the cluster has none of its CRDs: Gateways and routes of it cannot be used");
      const there = new Set(own.map(({ metadata }) => metadata.name));
      const missing = BASIC.filter((plural) => !there.has(`${plural}.${GROUP}`));
      return missing.length === 0
        ? ok(own[0]?.metadata.annotations?.[BUNDLE])
        : failed(`no CRD of ${missing.join(", ")}`);
    },
  },
  {
    name: "gateway-api-v1",
    affirmation: "Gateway API serves v1",
    hint: HINT,
    about:
      "GatewayClass, Gateway, HTTPRoute and GRPCRoute are read in version v1; without it the objects are not seen.",
    severity: "error",
    needs: ["gateway-api"],
    run: (facts) => serving(facts, "v1", ["gatewayclasses", "gateways", "httproutes", "grpcroutes"]),
  },
  {
    name: "gateway-api-v1beta1",
    affirmation: "Gateway API serves ReferenceGrant in v1beta1",
    hint: HINT,
    about: "Routes and listeners that refer to another namespace need a ReferenceGrant; it is read in v1beta1.",
    severity: "warning",
    needs: ["gateway-api"],
    run: (facts) => serving(facts, "v1beta1", ["referencegrants"]),
  },
  {
    name: "gateway-api-version",
    affirmation: `Gateway API is ${OLDEST.major}.${OLDEST.minor} or newer`,
    hint: HINT,
    about: "Older bundles lack kinds and fields that the control plane reads.",
    severity: "warning",
    needs: ["gateway-api"],
    run: async (facts) => {
      const old = (await crds(facts)).filter(({ metadata }) => {
        const numbers = versionNumbers(metadata.annotations?.[BUNDLE] ?? "");
        return (
          numbers !== undefined &&
          (numbers[0] < OLDEST.major || (numbers[0] === OLDEST.major && numbers[1] < OLDEST.minor))
        );
      });
      return old.length === 0
        ? ok()
        : failed(`${old.length} CRDs are of ${old[0]?.metadata.annotations?.[BUNDLE] ?? ""}`);
    },
  },
  {
    name: "gateway-api-bundle",
    affirmation: "Gateway API's CRDs are of one release and channel",
    hint: HINT,
    about: "CRDs of several releases come from two tools that install them; each undoes what the other did.",
    severity: "warning",
    needs: ["gateway-api"],
    run: async (facts) => {
      const releases = new Set(
        (await crds(facts)).map(({ metadata }) =>
          `${metadata.annotations?.[BUNDLE] ?? "?"} ${metadata.annotations?.[CHANNEL] ?? ""}`.trimEnd(),
        ),
      );
      return releases.size === 1 ? ok() : failed(`found ${[...releases].sort().join(", ")}`);
    },
  },
  {
    name: "gateway-class-owner",
    affirmation: "the GatewayClass istio is the mesh's",
    hint: "rename the other class, or set its controllerName to istio.io/gateway-controller",
    about:
      "Gateways of class istio are taken by the controller that the class names. When that is another one the mesh leaves them alone.",
    severity: "error",
    needs: ["gateway-api"],
    run: async (facts) => {
      const own = (await facts.list("GatewayClass")).find(({ metadata }) => metadata.name === "istio");
      const controller = own?.spec?.controllerName ?? CONTROLLER;
      return controller === CONTROLLER ? ok() : failed(`its controller is ${controller}`);
    },
  },
  {
    name: "gateway-classes",
    affirmation: "every Gateway has a class that exists",
    hint: "create the GatewayClass, or correct spec.gatewayClassName",
    about: "A Gateway of a class that does not exist is nobody's: it gets no address and takes no traffic.",
    severity: "warning",
    phase: "after",
    needs: ["gateway-api"],
    run: async (facts) => {
      const classes = new Set((await facts.list("GatewayClass")).map(({ metadata }) => metadata.name));
      return verdict(
        (await facts.list("KubernetesGateway"))
          .filter(({ spec }) => !classes.has(spec?.gatewayClassName ?? ""))
          .map((gateway) => `Gateway ${nameOf(gateway)}: class ${gateway.spec?.gatewayClassName ?? ""}`),
      );
    },
  },
  {
    name: "gateway-classes-accepted",
    affirmation: "the mesh's GatewayClasses are accepted",
    hint: "look at the conditions of the class: kubectl get gatewayclass -o yaml",
    about: "The control plane accepts the classes it serves. One that it refuses says why in its conditions.",
    severity: "warning",
    phase: "after",
    needs: ["gateway-api"],
    run: async (facts) => {
      const refused = (await facts.list("GatewayClass")).filter(
        ({ spec, status }) => spec?.controllerName === CONTROLLER && has(status?.conditions, "Accepted", "False"),
      );
      return verdict(refused.map(({ metadata }) => `GatewayClass ${metadata.name} is refused`));
    },
  },
]);

async function crds(facts: Facts): Promise<readonly Crd[]> {
  return (await facts.list("CustomResourceDefinition")).filter(({ metadata }) => metadata.name.endsWith(`.${GROUP}`));
}

async function serving(facts: Facts, version: string, plurals: readonly string[]): Promise<Outcome> {
  const all = new Map((await crds(facts)).map((crd) => [crd.metadata.name, crd]));
  return verdict(
    plurals
      .filter((plural) => {
        const crd = all.get(`${plural}.${GROUP}`);
        return (
          crd !== undefined &&
          crd.spec?.versions?.some(({ name, served }) => name === version && served !== false) !== true
        );
      })
      .map((plural) => `${plural} are not served in ${version}`),
  );
}
