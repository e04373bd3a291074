import type { Admission, Attributes, Core, User } from "./core.ts";
import { randomSuffix } from "./core.ts";
import { dropAbsent } from "./decode.ts";
import type { JsonObject, Obj } from "./json.ts";
import { asObject, asObjects, asString, clone } from "./json.ts";
import { forbidden } from "./status.ts";
import type { Webhooks } from "./webhooks.ts";

const tokenDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Groups every service account is in. */
export function serviceAccountUser(namespace: string, name: string, uid: string): User {
  return {
    username: `system:serviceaccount:${namespace}:${name}`,
    uid,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
  };
}

/** The volume that gives a pod its token, the cluster's CA and its namespace. */
function tokenVolume(name: string): JsonObject {
  return {
    name,
    projected: {
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
          },
        },
      ],
    },
  };
}

/** Gives a pod its service account: name, pull secrets, and the token mounted into each container that has none. */
function admitServiceAccount(store: Core["store"], pod: Obj): void {
  const spec = asObject(pod.spec);
  const { namespace, name: podName } = pod.metadata;
  const name = asString(spec["serviceAccountName"]) || "default";
  spec["serviceAccountName"] = name;
  spec["serviceAccount"] = name;
  const account = store.get("/serviceaccounts", namespace, name);
  if (account === undefined) {
    throw forbidden(
      `pods "${podName}" is forbidden: error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`,
      { name: podName, kind: "pods" },
    );
  }
  if (asObjects(spec["imagePullSecrets"]).length === 0 && asObjects(account["imagePullSecrets"]).length > 0) {
    spec["imagePullSecrets"] = clone(account["imagePullSecrets"]);
  }
  const automount = spec["automountServiceAccountToken"] ?? account["automountServiceAccountToken"] ?? true;
  if (automount === true) mountToken(spec);
}

function mountToken(spec: JsonObject): void {
  const containers = [...asObjects(spec["initContainers"]), ...asObjects(spec["containers"])];
  const bare = containers.filter(
    (container) => !asObjects(container["volumeMounts"]).some((mount) => mount["mountPath"] === tokenDirectory),
  );
  const volumes = asObjects(spec["volumes"]);
  const existing = volumes.find((volume) => asString(volume["name"]).startsWith("kube-api-access-"));
  if (bare.length === 0) return;
  const name = existing === undefined ? `kube-api-access-${randomSuffix()}` : asString(existing["name"]);
  if (existing === undefined) spec["volumes"] = [...volumes, tokenVolume(name)];
  for (const container of bare) {
    const mounts = asObjects(container["volumeMounts"]);
    container["volumeMounts"] = [...mounts, { name, readOnly: true, mountPath: tokenDirectory }];
  }
}

const defaultTolerations = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

function addTolerations(pod: Obj): void {
  const spec = asObject(pod.spec);
  const given = asObjects(spec["tolerations"]);
  const missing = defaultTolerations.filter(
    (key) =>
      !given.some((entry) => (entry["key"] === key || entry["key"] === undefined) && entry["effect"] !== "NoSchedule"),
  );
  spec["tolerations"] = [
    ...given,
    ...missing.map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 })),
  ];
}

/** Deleting what the cluster cannot be without is refused. */
const fixedNamespaces = ["default", "kube-system", "kube-public"];

function refuseFixedNamespace({ operation, info, name }: Attributes): void {
  if (operation !== "DELETE" || info.collection !== "/namespaces" || !fixedNamespaces.includes(name)) return;
  throw forbidden(`namespaces "${name}" is forbidden: this namespace may not be deleted`, { name, kind: "namespaces" });
}

/** The built-in plugins, then the webhooks: mutating ones when objects change, validating ones before they are stored. */
export function createAdmission(store: Core["store"], webhooks: Webhooks): Admission {
  const builtin = ({ operation, info, request }: Attributes, object: Obj): void => {
    if (info.collection !== "/pods" || operation !== "CREATE" || request.subresource !== undefined) return;
    admitServiceAccount(store, object);
    addTolerations(object);
  };
  return {
    async mutate(attributes) {
      const object = clone(attributes.object);
      builtin(attributes, object);
      const changed = await webhooks.mutate({ ...attributes, object });
      dropAbsent(attributes.info, changed);
      // What a webhook added (containers, mostly) gets the token too.
      builtin(attributes, changed);
      return changed;
    },
    async validate(attributes) {
      refuseFixedNamespace(attributes);
      await webhooks.validate(attributes);
    },
  };
}
