import type { KubeObject } from "../../resources/object.ts";
import { category, failed, ok } from "../check.ts";
import type { Facts } from "../facts.ts";

/** Kinds that every profile has, when nobody says what will be installed. */
const USUAL: readonly (readonly [apiVersion: string, kind: string])[] = [
  ["v1", "Namespace"],
  ["apiextensions.k8s.io/v1", "CustomResourceDefinition"],
  ["v1", "ServiceAccount"],
  ["rbac.authorization.k8s.io/v1", "ClusterRole"],
  ["rbac.authorization.k8s.io/v1", "ClusterRoleBinding"],
  ["rbac.authorization.k8s.io/v1", "Role"],
  ["rbac.authorization.k8s.io/v1", "RoleBinding"],
  ["v1", "ConfigMap"],
  ["v1", "Service"],
  ["apps/v1", "Deployment"],
  ["admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"],
  ["admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"],
];

/** Server-side apply patches, and creates what is not there; waiting reads; a later run prunes. */
const VERBS = ["create", "get", "list", "watch", "patch", "delete"] as const;

/** Whoever writes roles must hold what they grant, or have these. */
const GRANTS = [
  { verb: "escalate", resource: "clusterroles" },
  { verb: "bind", resource: "clusterroles" },
] as const;

/** What the user may do. */
export const permissionChecks = category("permissions", [
  {
    name: "permissions",
    affirmation: "you may do everything that an installation does",
    hint: "use a context with cluster-admin rights for install",
    about:
      "Every verb that install needs on every kind of object that it will write, asked one by one. Without one of them an installation stops half way.",
    severity: "error",
    phase: "before",
    run: async (facts) => {
      if (await facts.canI({ verb: "*", group: "*", resource: "*" })) return ok();
      const missing = await missingAccess(facts);
      if (missing.size === 0) return ok();
      const words = [...missing].map(([resource, verbs]) => `${verbs.join(", ")} ${resource}`).sort();
      return failed(`not allowed to ${words.join("; ")}`);
    },
  },
]);

async function missingAccess(facts: Facts): Promise<ReadonlyMap<string, readonly string[]>> {
  const { rendered, istioNamespace } = facts.context;
  const objects = rendered ?? USUAL.map(([apiVersion, kind]) => ({ apiVersion, kind, metadata: { name: "" } }));
  const wanted = accessOf(objects, istioNamespace);
  const answers = await Promise.all(wanted.map((access) => facts.canI(access)));
  const missing = new Map<string, string[]>();
  for (const [at, { verb, resource }] of wanted.entries())
    if (answers[at] !== true) missing.set(resource, [...(missing.get(resource) ?? []), verb]);
  return missing;
}

type Access = Parameters<Facts["canI"]>[0];

/** Each group and resource once, with every verb; in the control plane's namespace where objects have one. */
function accessOf(objects: readonly KubeObject[], namespace: string): readonly Access[] {
  const resources = new Map<
    string,
    { readonly group: string; readonly resource: string; readonly namespace?: string }
  >();
  for (const { apiVersion, kind, metadata } of objects) {
    const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
    const resource = pluralOf(kind);
    const place = metadata.namespace === undefined ? {} : { namespace };
    resources.set(`${group}/${resource}`, { group, resource, ...place });
  }
  const grants = [...resources.values()].some(({ resource }) => resource === "clusterroles")
    ? GRANTS.map((grant) => ({ ...grant, group: "rbac.authorization.k8s.io" }))
    : [];
  return [...[...resources.values()].flatMap((each) => VERBS.map((verb) => ({ verb, ...each }))), ...grants];
}

/** Plural of the kinds that a mesh consists of, as the API has them. */
function pluralOf(kind: string): string {
  const lower = kind.toLowerCase();
  if (lower.endsWith("y")) return `${lower.slice(0, -1)}ies`;
  return lower.endsWith("s") ? `${lower}es` : `${lower}s`;
}
