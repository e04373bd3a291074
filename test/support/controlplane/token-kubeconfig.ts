import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Writes a kubeconfig for a bearer token and returns its path. */
export function tokenKubeconfig(server: { readonly url: string; readonly caPem: string }, token: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "kubeconfig-")), "config");
  const ca = { "certificate-authority-data": Buffer.from(server.caPem).toString("base64") };
  writeFileSync(
    file,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster: { server: server.url, ...ca } }],
      users: [{ name: "u", user: { token } }],
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      "current-context": "c",
    }),
  );
  return file;
}
