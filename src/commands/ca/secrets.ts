import { ClusterError } from "../../base/errors.ts";
import {
  type Authority,
  authorityData,
  CA_FILES,
  encoded,
  OWN_SECRET,
  OWN_SECRET_TYPE,
  PLUGGED_SECRET,
  readAuthority,
} from "../../pki/authority-secret.ts";
import type { Ca } from "../../pki/ca.ts";
import type { Cluster } from "../../resources/cluster.ts";
import type { KubeObject } from "../../resources/object.ts";

/** Where the next authority waits while a rotation goes on; its being there says that one does. */
export const NEXT_SECRET = "istio-ca-next";
/** Annotation of it: the Secret that the next authority is to sign from. */
const TARGET = "meshctl.io/authority-secret";
/** Key of it: the roots before. */
const FORMER = "former-roots.pem";

/** The authorities in the Secrets of the control plane. */
export interface Authorities {
  readonly current: Authority;
  /** Of a rotation that goes on. */
  readonly next: Next | undefined;
}

export interface Next {
  readonly ca: Ca;
  /** Secret that it is to sign from. */
  readonly target: Authority["secret"];
  /** PEM of the roots that were trusted before. */
  readonly former: string;
}

type Secrets = Pick<Cluster, "get" | "create" | "mergePatch" | "delete">;

const refTo = (namespace: string, name: string) => ({ apiVersion: "v1", kind: "Secret", namespace, name });

/** Reads them. Throws ClusterError when there is none that signs, and what readAuthority throws. */
export async function readAuthorities(cluster: Pick<Cluster, "get">, namespace: string): Promise<Authorities> {
  const [plugged, own, next] = await Promise.all(
    [PLUGGED_SECRET, OWN_SECRET, NEXT_SECRET].map((name) => cluster.get(refTo(namespace, name))),
  );
  const found = plugged ?? own;
  if (found === undefined)
    throw new ClusterError("no-authority", `namespace ${namespace} has neither Secret cacerts nor istio-ca-secret`, {
      hint: "Install a control plane with meshctl install; it makes a root. Or name its namespace with --istioNamespace.",
    });
  const current = await readAuthority(plugged === undefined ? OWN_SECRET : PLUGGED_SECRET, found["data"]);
  return { current, next: next === undefined ? undefined : await readNext(next) };
}

async function readNext(object: KubeObject): Promise<Next> {
  const target = object.metadata.annotations?.[TARGET] === OWN_SECRET ? OWN_SECRET : PLUGGED_SECRET;
  const data = (object["data"] ?? {}) as Readonly<Record<string, string>>;
  const former = Buffer.from(data[FORMER] ?? "", "base64").toString("utf8");
  return { ca: (await readAuthority(PLUGGED_SECRET, data)).ca, target, former };
}

/** Keeps the next authority, so that the rotation can go on in another run. Throws ClusterError `already-exists`. */
export async function keepNext(cluster: Secrets, namespace: string, next: Next): Promise<void> {
  const metadata = { name: NEXT_SECRET, namespace, annotations: { [TARGET]: next.target } };
  const data = { ...authorityData(next.ca), ...encoded({ [FORMER]: next.former }) };
  await cluster.create({ apiVersion: "v1", kind: "Secret", metadata, type: "Opaque", data });
}

/** The rotation is over, or given up. */
export async function dropNext(cluster: Secrets, namespace: string): Promise<void> {
  await cluster.delete(refTo(namespace, NEXT_SECRET), { propagation: "Background" });
}

/** Has the signing Secret say what is to be trusted, and which lists are to be checked. */
export async function writeTrust(
  cluster: Secrets,
  namespace: string,
  { secret, roots, revocations }: { readonly secret: string; readonly roots: string; readonly revocations: string },
): Promise<void> {
  const lists = revocations === "" ? {} : { [CA_FILES.revocations]: revocations };
  await cluster.mergePatch(refTo(namespace, secret), { data: encoded({ [CA_FILES.roots]: roots, ...lists }) });
}

/** Has the next authority sign; the rest of the Secret stays as writeTrust left it. */
export async function writeSigner(
  cluster: Secrets,
  namespace: string,
  { ca, target, roots, revocations }: Next & { readonly roots: string; readonly revocations: string },
): Promise<void> {
  const lists = revocations === "" ? {} : encoded({ [CA_FILES.revocations]: revocations });
  const data = { ...authorityData(ca, roots), ...lists };
  const there = await cluster.get(refTo(namespace, target));
  if (there !== undefined) {
    await cluster.mergePatch(refTo(namespace, target), { data });
    return;
  }
  const type = target === OWN_SECRET ? OWN_SECRET_TYPE : "Opaque";
  await cluster.create({ apiVersion: "v1", kind: "Secret", metadata: { name: target, namespace }, type, data });
}
