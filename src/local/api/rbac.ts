import type { User } from "./core.ts";
import type { JsonObject, Obj } from "./json.ts";
import { asObject, asObjects, asString, asStrings, clone } from "./json.ts";
import { objectSelector } from "./selectors.ts";
import type { Store } from "./store.ts";

/** One question to authorization: a resource, or a path that is no resource. */
export interface AccessQuestion {
  readonly verb: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly path?: string;
}

/** Decides by the Roles and bindings in the store; `system:masters` may do everything. */
export interface Authorizer {
  allows(user: User, question: AccessQuestion): boolean;
  /** The rules that count for a user in a namespace. */
  rulesFor(user: User, namespace: string): JsonObject[];
}

const group = "rbac.authorization.k8s.io";

function subjectMatches(subject: JsonObject, user: User, bindingNamespace: string | undefined): boolean {
  const name = asString(subject["name"]);
  switch (subject["kind"]) {
    case "User":
      return name === user.username;
    case "Group":
      return user.groups.includes(name);
    case "ServiceAccount":
      return (
        user.username === `system:serviceaccount:${asString(subject["namespace"]) || (bindingNamespace ?? "")}:${name}`
      );
    default:
      return false;
  }
}

function covers(list: unknown, value: string): boolean {
  const values = asStrings(list);
  return values.includes("*") || values.includes(value);
}

function resourceCovers(list: unknown, { resource = "", subresource }: AccessQuestion): boolean {
  const full = subresource === undefined ? resource : `${resource}/${subresource}`;
  return asStrings(list).some(
    (entry) => entry === "*" || entry === full || (subresource !== undefined && entry === `*/${subresource}`),
  );
}

function pathCovers(list: unknown, path: string): boolean {
  return asStrings(list).some(
    (entry) => entry === path || (entry.endsWith("*") && path.startsWith(entry.slice(0, -1))),
  );
}

function ruleAllows(rule: JsonObject, question: AccessQuestion): boolean {
  if (!covers(rule["verbs"], question.verb)) return false;
  if (question.path !== undefined) return pathCovers(rule["nonResourceURLs"], question.path);
  const names = asStrings(rule["resourceNames"]);
  return (
    covers(rule["apiGroups"], question.group ?? "") &&
    resourceCovers(rule["resources"], question) &&
    (names.length === 0 || names.includes(question.name ?? ""))
  );
}

export function createAuthorizer(store: Store): Authorizer {
  /** Rules of a role; a ClusterRole with an aggregationRule also has those of the roles it selects. */
  function rulesOf(ref: JsonObject, namespace: string | undefined): JsonObject[] {
    const name = asString(ref["name"]);
    if (ref["kind"] === "Role") return asObjects(store.get(`${group}/roles`, namespace, name)?.["rules"]);
    const role = store.get(`${group}/clusterroles`, undefined, name);
    const own = asObjects(role?.["rules"]);
    const selectors = asObjects(asObject(role?.["aggregationRule"])["clusterRoleSelectors"]).map(objectSelector);
    if (selectors.length === 0) return own;
    const chosen = store
      .list(`${group}/clusterroles`)
      .filter((other) => other !== role && selectors.some((matches) => matches(other.metadata.labels ?? {})));
    return [...own, ...chosen.flatMap((other) => asObjects(other["rules"]))];
  }

  function bound(bindings: readonly Obj[], user: User): JsonObject[] {
    return bindings.flatMap((binding) => {
      const { namespace } = binding.metadata;
      const mine = asObjects(binding["subjects"]).some((subject) => subjectMatches(subject, user, namespace));
      return mine ? rulesOf(asObject(binding["roleRef"]), namespace) : [];
    });
  }

  function rulesFor(user: User, namespace: string | undefined): JsonObject[] {
    if (user.groups.includes("system:masters")) {
      return [
        { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
        { verbs: ["*"], nonResourceURLs: ["*"] },
      ];
    }
    const everywhere = bound(store.list(`${group}/clusterrolebindings`), user);
    if (namespace === undefined || namespace === "") return everywhere;
    return [...everywhere, ...bound(store.list(`${group}/rolebindings`, namespace), user)];
  }

  return {
    rulesFor: (user, namespace) => clone(rulesFor(user, namespace)),
    allows: (user, question) => rulesFor(user, question.namespace).some((rule) => ruleAllows(rule, question)),
  };
}

const readVerbs = ["get", "list", "watch"];
const allVerbs = [...readVerbs, "create", "update", "patch", "delete", "deletecollection"];
/** What edit may change and view may read: namespaced work, not rights. */
const editable: readonly JsonObject[] = [
  {
    apiGroups: [""],
    resources: [
      "configmaps",
      "endpoints",
      "events",
      "pods",
      "pods/attach",
      "pods/exec",
      "pods/log",
      "pods/portforward",
      "pods/proxy",
      "replicationcontrollers",
      "serviceaccounts",
      "services",
    ],
  },
  { apiGroups: ["apps"], resources: ["*"] },
  { apiGroups: ["batch", "autoscaling", "policy", "networking.k8s.io", "discovery.k8s.io"], resources: ["*"] },
];
const secrets: JsonObject = { apiGroups: [""], resources: ["secrets"] };
const rights: JsonObject = {
  apiGroups: [group, "authorization.k8s.io"],
  resources: ["roles", "rolebindings", "localsubjectaccessreviews"],
};

function role(name: string, rules: readonly JsonObject[], extra: JsonObject = {}): Obj {
  const metadata = { name, labels: { "kubernetes.io/bootstrapping": "rbac-defaults" } };
  return { apiVersion: `${group}/v1`, kind: "ClusterRole", metadata, rules: [...rules], ...extra };
}

function binding(name: string, groups: readonly string[]): Obj {
  return {
    apiVersion: `${group}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name, labels: { "kubernetes.io/bootstrapping": "rbac-defaults" } },
    roleRef: { apiGroup: group, kind: "ClusterRole", name },
    subjects: groups.map((subject) => ({ apiGroup: group, kind: "Group", name: subject })),
  };
}

function aggregated(kind: string): JsonObject {
  const label = { [`rbac.authorization.k8s.io/aggregate-to-${kind}`]: "true" };
  return { aggregationRule: { clusterRoleSelectors: [{ matchLabels: label }] } };
}

/** The roles every cluster starts with, as far as they matter here. */
export function bootstrapRoles(): Obj[] {
  const with_ = (verbs: readonly string[], rules: readonly JsonObject[]): JsonObject[] =>
    rules.map((rule) => ({ ...rule, verbs: [...verbs] }));
  const infoPaths = ["/healthz", "/livez", "/readyz", "/version", "/version/"];
  const discovery = [...infoPaths, "/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"];
  const reviews = [
    {
      verbs: ["create"],
      apiGroups: ["authorization.k8s.io"],
      resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    },
    { verbs: ["create"], apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"] },
  ];
  return [
    role("cluster-admin", [
      { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
      { verbs: ["*"], nonResourceURLs: ["*"] },
    ]),
    role("admin", with_(allVerbs, [...editable, secrets, rights]), aggregated("admin")),
    role("edit", with_(allVerbs, [...editable, secrets]), aggregated("edit")),
    role("view", with_(readVerbs, editable), aggregated("view")),
    role("system:auth-delegator", [
      { verbs: ["create"], apiGroups: ["authentication.k8s.io"], resources: ["tokenreviews"] },
      { verbs: ["create"], apiGroups: ["authorization.k8s.io"], resources: ["subjectaccessreviews"] },
    ]),
    role("system:discovery", [{ verbs: ["get"], nonResourceURLs: discovery }]),
    role("system:basic-user", reviews),
    role("system:public-info-viewer", [{ verbs: ["get"], nonResourceURLs: infoPaths }]),
    role("system:service-account-issuer-discovery", [
      {
        verbs: ["get"],
        nonResourceURLs: [
          "/.well-known/openid-configuration",
          "/.well-known/openid-configuration/",
          "/openid/v1/jwks",
          "/openid/v1/jwks/",
        ],
      },
    ]),
    binding("cluster-admin", ["system:masters"]),
    binding("system:discovery", ["system:authenticated"]),
    binding("system:basic-user", ["system:authenticated"]),
    binding("system:public-info-viewer", ["system:authenticated", "system:unauthenticated"]),
    binding("system:service-account-issuer-discovery", ["system:serviceaccounts"]),
  ];
}
