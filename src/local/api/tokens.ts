import { webcrypto } from "node:crypto";
import { exportJWK, type JWK, jwtVerify, SignJWT } from "jose";
import { serviceAccountUser } from "./admission.ts";
import type { User } from "./core.ts";
import type { JsonObject } from "./json.ts";
import { asObject, asString } from "./json.ts";
import { notFound } from "./status.ts";
import type { Store } from "./store.ts";

/** Who signs service account tokens, and their default audience. */
export const issuer = "https://kubernetes.default.svc.cluster.local";
const algorithm = "ES256";
const keyId = "local";

/** For whom a token is and what it is bound to. */
export interface TokenTarget {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  readonly bound?:
    | { readonly kind: "Pod" | "Secret" | "Node"; readonly name: string; readonly uid: string }
    | undefined;
}

/** An authenticated token: the user, and the audiences of those asked for that it is meant for. */
export interface ReviewedToken {
  readonly user: User;
  readonly audiences: readonly string[];
}

/** Issues and reads service account tokens. */
export interface Tokens {
  issue(target: TokenTarget): Promise<{ readonly token: string; readonly expires: Date }>;
  /** Undefined when the token is not ours, has expired, or what it is bound to is gone. */
  review(token: string, audiences: readonly string[]): Promise<ReviewedToken | undefined>;
  /** The key set for OIDC discovery. */
  readonly keys: { readonly keys: readonly JWK[] };
}

/** The claims that say whose token it is and what it is bound to. Throws 404 for an account that is not there. */
function boundTo(store: Store, { namespace, serviceAccount, bound }: TokenTarget): JsonObject {
  const account = store.get("/serviceaccounts", namespace, serviceAccount);
  if (account === undefined) throw notFound({ group: "", resource: "serviceaccounts", name: serviceAccount });
  const node = bound?.kind === "Pod" ? nodeOf(store, namespace, bound.name) : {};
  return {
    namespace,
    serviceaccount: { name: serviceAccount, uid: account.metadata.uid },
    ...(bound === undefined ? {} : { [bound.kind.toLowerCase()]: { name: bound.name, uid: bound.uid } }),
    ...node,
  };
}

function nodeOf(store: Store, namespace: string, pod: string): JsonObject {
  const name = asString(asObject(store.get("/pods", namespace, pod)?.spec)["nodeName"]);
  if (name === "") return {};
  return { node: { name, uid: store.get("/nodes", undefined, name)?.metadata.uid ?? "" } };
}

/** The user of verified claims, while its account (and what it is bound to) still exist. */
function userOf(store: Store, claims: JsonObject): User | undefined {
  const namespace = asString(claims["namespace"]);
  const account = asObject(claims["serviceaccount"]);
  const name = asString(account["name"]);
  const uid = store.get("/serviceaccounts", namespace, name)?.metadata.uid;
  if (uid === undefined || uid !== account["uid"]) return undefined;
  const extra: Record<string, string[]> = {};
  const pod = asObject(claims["pod"]);
  if (pod["name"] !== undefined) {
    const found = store.get("/pods", namespace, asString(pod["name"]));
    if (found?.metadata.uid !== pod["uid"]) return undefined;
    extra["authentication.kubernetes.io/pod-name"] = [asString(pod["name"])];
    extra["authentication.kubernetes.io/pod-uid"] = [asString(pod["uid"])];
  }
  const secret = asObject(claims["secret"]);
  if (
    secret["name"] !== undefined &&
    store.get("/secrets", namespace, asString(secret["name"]))?.metadata.uid !== secret["uid"]
  )
    return undefined;
  const node = asObject(claims["node"]);
  if (node["name"] !== undefined) {
    extra["authentication.kubernetes.io/node-name"] = [asString(node["name"])];
    if (node["uid"] !== "") extra["authentication.kubernetes.io/node-uid"] = [asString(node["uid"])];
  }
  return { ...serviceAccountUser(namespace, name, uid), extra };
}

/** One ECDSA key in memory signs all tokens. */
export async function createTokens(store: Store): Promise<Tokens> {
  const pair = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const jwk = await exportJWK(pair.publicKey);

  return {
    keys: { keys: [{ ...jwk, use: "sig", kid: keyId, alg: algorithm }] },
    async issue(target) {
      const claims = boundTo(store, target);
      const issued = Math.floor(Date.now() / 1000);
      const expires = issued + target.expirationSeconds;
      const audiences = target.audiences.length === 0 ? [issuer] : [...target.audiences];
      const token = await new SignJWT({ "kubernetes.io": claims })
        .setProtectedHeader({ alg: algorithm, kid: keyId })
        .setIssuer(issuer)
        .setSubject(`system:serviceaccount:${target.namespace}:${target.serviceAccount}`)
        .setAudience(audiences)
        .setIssuedAt(issued)
        .setNotBefore(issued)
        .setExpirationTime(expires)
        .setJti(webcrypto.randomUUID())
        .sign(pair.privateKey);
      return { token, expires: new Date(expires * 1000) };
    },
    async review(token, audiences) {
      const wanted = audiences.length === 0 ? [issuer] : [...audiences];
      try {
        const { payload } = await jwtVerify(token, pair.publicKey, {
          issuer,
          audience: wanted,
          algorithms: [algorithm],
        });
        const user = userOf(store, asObject(payload["kubernetes.io"]));
        if (user === undefined) return undefined;
        const held = [payload.aud ?? []].flat();
        return { user, audiences: wanted.filter((audience) => held.includes(audience)) };
      } catch {
        return undefined;
      }
    },
  };
}
