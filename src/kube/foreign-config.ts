import { KubeConfig } from "@kubernetes/client-node";
import { ClusterError, errorText } from "../base/errors.ts";

/**
 * What of a kubeconfig makes its reader run a program, read a file of its own or trust anybody; by the names that
 * PILOT_INSECURE_MULTICLUSTER_KUBECONFIG_OPTIONS allows them by (Istio's). Each says what it looks at.
 */
const REFUSED: Readonly<Record<string, { readonly of: "user" | "cluster"; readonly fields: readonly string[] }>> = {
  exec: { of: "user", fields: ["exec"] },
  "auth-provider": { of: "user", fields: ["authProvider"] },
  clientCertificate: { of: "user", fields: ["certFile"] },
  clientKey: { of: "user", fields: ["keyFile"] },
  tokenFile: { of: "user", fields: ["tokenFile"] },
  insecureSkipTLSVerify: { of: "cluster", fields: ["skipTLSVerify"] },
  certificateAuthority: { of: "cluster", fields: ["caFile"] },
};

const HINT = "write one with `meshctl create-remote-secret`";

/** Reads a kubeconfig that came from elsewhere. Throws ClusterError `bad-kubeconfig` with what is not taken of it. */
export function foreignConfig(text: string, allowed: ReadonlySet<string>): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromString(text);
  } catch (error) {
    const [words = ""] = errorText(error).split("\n");
    throw new ClusterError("bad-kubeconfig", `the kubeconfig cannot be read: ${words}`, { hint: HINT });
  }
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (cluster === null)
    throw new ClusterError("bad-kubeconfig", "the kubeconfig's current context names no cluster of it", { hint: HINT });
  for (const [name, { of, fields }] of Object.entries(REFUSED)) {
    const record = (of === "user" ? user : cluster) as Readonly<Record<string, unknown>> | null;
    const found = fields.some((field) => record?.[field] !== undefined && record[field] !== false);
    if (found && !allowed.has(name))
      throw new ClusterError("bad-kubeconfig", `the kubeconfig has ${name}, which is not taken from a Secret`, {
        hint: `${HINT}, or allow it by PILOT_INSECURE_MULTICLUSTER_KUBECONFIG_OPTIONS=${name}`,
      });
  }
  if (!cluster.server.startsWith("https:"))
    throw new ClusterError("bad-kubeconfig", `the kubeconfig reaches ${cluster.server} without TLS`, { hint: HINT });
  return config;
}
