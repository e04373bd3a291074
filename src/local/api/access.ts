import { networkInterfaces } from "node:os";
import { createRoot, issueClient, issueServing, type Validity } from "../../pki/ca.ts";

/** The certificates of one run: all in memory, gone with it. */
export interface Access {
  readonly caPem: string;
  readonly serving: { readonly certificate: string; readonly key: string };
  readonly admin: { readonly certificate: string; readonly key: string };
}

const day = 24 * 60 * 60 * 1000;

/** Makes the CA, a serving certificate for every address the endpoint may be reached at, and the administrator's. */
export async function createAccess(hosts: readonly string[], clusterIp: string): Promise<Access> {
  const now = Date.now();
  const validity: Validity = { notBefore: new Date(now - 5 * 60_000), notAfter: new Date(now + 365 * day) };
  const ca = await createRoot("meshctl-local", validity);
  const service = [
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
  ];
  const every = hosts.some((host) => host === "0.0.0.0" || host === "::");
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const addresses = every ? own.filter((entry) => entry.family === "IPv4").map((entry) => entry.address) : [];
  const listed = hosts.filter((host) => /^[\d.]+$/.test(host) && host !== "0.0.0.0");
  const ips = [...new Set([...listed, ...addresses, "127.0.0.1", clusterIp])];
  const serving = await issueServing(ca, { dns: ["localhost", ...service], ips }, validity);
  const admin = await issueClient(ca, { commonName: "meshctl-admin", organizations: ["system:masters"] }, validity);
  return {
    caPem: ca.certificate,
    serving: { certificate: serving.certificate, key: serving.key.pem() },
    admin: { certificate: admin.certificate, key: admin.key.pem() },
  };
}

/** A kubeconfig with one cluster, one user and one context, all data inside. JSON is YAML. */
export function kubeconfigText(access: Access, server: string, contextName: string): string {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: contextName, cluster: { server, "certificate-authority-data": base64(access.caPem) } }],
    users: [
      {
        name: contextName,
        user: {
          "client-certificate-data": base64(access.admin.certificate),
          "client-key-data": base64(access.admin.key),
        },
      },
    ],
    contexts: [{ name: contextName, context: { cluster: contextName, user: contextName } }],
    "current-context": contextName,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
