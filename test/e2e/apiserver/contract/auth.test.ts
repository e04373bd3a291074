import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Loose, RestClient } from "../../../support/kube/rest-client.ts";
import { waitFor } from "../../../support/wait.ts";
import { type Backend, backendNames, startBackend } from "./backends.ts";

const accounts = "/api/v1/namespaces/shop/serviceaccounts";
const reviews = "/apis/authentication.k8s.io/v1/tokenreviews";
const rbac = "/apis/rbac.authorization.k8s.io/v1";

describe.each(backendNames)("identity and rights on the %s API server", (name) => {
  let backend: Backend;
  let rest: RestClient;
  beforeAll(async () => {
    backend = await startBackend(name);
    rest = backend.rest;
    await rest.post(accounts, { metadata: { name: "web" } });
  });
  afterAll(() => backend.stop());

  async function token(account: string, spec: object = {}): Promise<string> {
    const { body } = await rest.post(`${accounts}/${account}/token`, {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec,
    });
    return body.status.token as string;
  }
  const review = async (value: string, audiences?: string[]): Promise<Loose> =>
    (
      await rest.post(reviews, {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenReview",
        spec: { token: value, ...(audiences === undefined ? {} : { audiences }) },
      })
    ).body.status;

  test("a token has the claims of a bound service account token", async () => {
    const { status, body } = await rest.post(`${accounts}/web/token`, {
      spec: { audiences: ["istio-ca"], expirationSeconds: 900 },
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      kind: "TokenRequest",
      apiVersion: "authentication.k8s.io/v1",
      spec: { audiences: ["istio-ca"], expirationSeconds: 900 },
    });
    const claims = JSON.parse(Buffer.from(body.status.token.split(".")[1], "base64url").toString("utf8")) as Loose;
    expect(claims).toMatchObject({
      iss: "https://kubernetes.default.svc.cluster.local",
      sub: "system:serviceaccount:shop:web",
      aud: ["istio-ca"],
      "kubernetes.io": { namespace: "shop", serviceaccount: { name: "web" } },
    });
    expect(claims.exp - claims.iat).toBe(900);
    expect(Math.abs(Date.parse(body.status.expirationTimestamp) / 1000 - claims.exp)).toBeLessThan(2);
  });

  test("TokenReview: good for its audience, not for another, and never when tampered with", async () => {
    const good = await token("web", { audiences: ["istio-ca", "other"] });
    expect(await review(good, ["istio-ca"])).toMatchObject({
      authenticated: true,
      audiences: ["istio-ca"],
      user: {
        username: "system:serviceaccount:shop:web",
        groups: ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"],
      },
    });
    expect((await review(good, ["unknown"])).authenticated ?? false).toBe(false);
    expect((await review(good)).authenticated ?? false).toBe(false);
    expect((await review(await token("web"))).authenticated).toBe(true);
    const [head = "", , signature = ""] = good.split(".");
    const forged = Buffer.from(JSON.stringify({ sub: "system:admin" })).toString("base64url");
    expect((await review(`${head}.${forged}.${signature}`, ["istio-ca"])).error).toBeTruthy();
  });

  test("a token bound to a pod names it, and ends with it", async () => {
    const pods = "/api/v1/namespaces/shop/pods";
    const { body: pod } = await rest.post(pods, {
      metadata: { name: "bound" },
      spec: { serviceAccountName: "web", containers: [{ name: "c", image: "i" }] },
    });
    const ref = { kind: "Pod", apiVersion: "v1", name: "bound", uid: pod.metadata.uid };
    const bound = await token("web", { audiences: ["istio-ca"], boundObjectRef: ref });
    // The real server remembers a good review for 10 s, and learns of the end through a watch: a token it has not seen, and patience.
    const unseen = await token("web", { audiences: ["istio-ca"], boundObjectRef: ref });
    expect((await review(bound, ["istio-ca"])).user.extra).toMatchObject({
      "authentication.kubernetes.io/pod-name": ["bound"],
      "authentication.kubernetes.io/pod-uid": [pod.metadata.uid],
    });
    const wrong = await rest.post(`${accounts}/web/token`, { spec: { boundObjectRef: { ...ref, uid: "other" } } });
    expect(wrong.body).toMatchObject({ code: 409, reason: "Conflict" });
    await rest.del(`${pods}/bound?gracePeriodSeconds=0`);
    const isEnded = async (): Promise<boolean> => (await review(unseen, ["istio-ca"])).authenticated !== true;
    await waitFor(isEnded, { timeoutMs: 20_000, what: "the token to end with its pod" });
  });

  test("a token of a deleted or remade account is worth nothing; one for nobody is 404; a short one 422", async () => {
    await rest.post(accounts, { metadata: { name: "brief" } });
    const old = await token("brief");
    await rest.del(`${accounts}/brief`);
    await rest.post(accounts, { metadata: { name: "brief" } });
    expect((await review(old)).authenticated ?? false).toBe(false);
    expect((await rest.post(`${accounts}/nobody/token`, { spec: {} })).status).toBe(404);
    expect((await rest.post(`${accounts}/web/token`, { spec: { expirationSeconds: 60 } })).status).toBe(422);
  });

  test("who nobody knows is 401, who has no rights 403 with the words", async () => {
    expect((await rest.get("/api/v1/pods", { token: "not.a.token" })).body).toMatchObject({
      code: 401,
      reason: "Unauthorized",
    });
    const anonymous = await rest.get("/api/v1/namespaces/shop/pods", { token: "" });
    expect(anonymous.body).toMatchObject({ code: 403, reason: "Forbidden" });
    const mine = await token("web");
    const refused = await rest.get("/api/v1/namespaces/shop/pods", { token: mine });
    expect(refused.body.message).toBe(
      'pods is forbidden: User "system:serviceaccount:shop:web" cannot list resource "pods" in API group "" in the namespace "shop"',
    );
    expect((await rest.get("/apis/apps/v1/deployments", { token: mine })).body.message).toContain(
      "at the cluster scope",
    );
    expect((await rest.get("/version", { token: mine })).status).toBe(200);
    expect((await rest.get("/api/v1", { token: mine })).status).toBe(200);
  });

  test("roles and bindings give rights: by verb, resource, subresource and name", async () => {
    const web = { kind: "ServiceAccount", namespace: "shop", name: "web" };
    await rest.post(`${rbac}/namespaces/shop/roles`, {
      metadata: { name: "reader" },
      rules: [
        { apiGroups: [""], resources: ["pods", "pods/log"], verbs: ["get", "list"] },
        { apiGroups: [""], resources: ["configmaps"], resourceNames: ["mine"], verbs: ["get", "update"] },
      ],
    });
    const binding = {
      metadata: { name: "reader" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
      subjects: [web],
    };
    expect((await rest.post(`${rbac}/namespaces/shop/rolebindings`, binding)).status).toBe(201);
    const mine = await token("web");
    const can = async (attributes: object): Promise<boolean> => {
      const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
      const { body } = await rest.post(
        path,
        {
          apiVersion: "authorization.k8s.io/v1",
          kind: "SelfSubjectAccessReview",
          spec: { resourceAttributes: attributes },
        },
        { token: mine },
      );
      return body.status.allowed as boolean;
    };
    expect(await can({ namespace: "shop", verb: "list", resource: "pods" })).toBe(true);
    expect(await can({ namespace: "shop", verb: "get", resource: "pods", subresource: "log" })).toBe(true);
    expect(await can({ namespace: "shop", verb: "delete", resource: "pods" })).toBe(false);
    expect(await can({ namespace: "default", verb: "list", resource: "pods" })).toBe(false);
    expect(await can({ namespace: "shop", verb: "get", resource: "configmaps", name: "mine" })).toBe(true);
    expect(await can({ namespace: "shop", verb: "get", resource: "configmaps", name: "other" })).toBe(false);
    expect((await rest.get("/api/v1/namespaces/shop/pods", { token: mine })).status).toBe(200);
    const changed = await rest.patch(`${rbac}/namespaces/shop/rolebindings/reader`, "merge", {
      roleRef: { name: "writer" },
    });
    expect(changed.body).toMatchObject({ code: 422, reason: "Invalid" });
  });

  test("cluster roles count everywhere, and for a group", async () => {
    await rest.post(`${rbac}/clusterroles`, {
      metadata: { name: "nodes" },
      rules: [{ apiGroups: [""], resources: ["nodes"], verbs: ["*"] }],
    });
    const group = { kind: "Group", apiGroup: "rbac.authorization.k8s.io", name: "system:serviceaccounts:shop" };
    await rest.post(`${rbac}/clusterrolebindings`, {
      metadata: { name: "nodes" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "nodes" },
      subjects: [group],
    });
    const mine = await token("web");
    expect((await rest.get("/api/v1/nodes", { token: mine })).status).toBe(200);
    const asked = await rest.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: {
        user: "system:serviceaccount:shop:web",
        groups: ["system:serviceaccounts:shop"],
        resourceAttributes: { verb: "watch", resource: "nodes" },
      },
    });
    expect(asked.body.status.allowed).toBe(true);
  });

  test("the administrator is in system:masters and may speak for others", async () => {
    const { body } = await rest.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {
      apiVersion: "authentication.k8s.io/v1",
      kind: "SelfSubjectReview",
    });
    expect(body.status.userInfo.groups).toContain("system:masters");
    const as = { headers: { "impersonate-user": "system:serviceaccount:shop:nobody" } };
    expect((await rest.get("/api/v1/secrets", as)).status).toBe(403);
  });

  test("the keys that tokens are signed with are published", async () => {
    const { body: discovery } = await rest.get("/.well-known/openid-configuration");
    expect(discovery.issuer).toBe("https://kubernetes.default.svc.cluster.local");
    const { body: keys } = await rest.get("/openid/v1/jwks");
    const [head = ""] = (await token("web")).split(".");
    const { kid } = JSON.parse(Buffer.from(head, "base64url").toString("utf8")) as { kid: string };
    expect(keys.keys.map((key: Loose) => key.kid)).toContain(kid);
  });
});
