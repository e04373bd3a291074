import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RealApiServer } from "../kube/apiserver.ts";

/** An issuer of workload certificates in a process of its own, with its own root; see issuer.mjs. */
export interface CertificateIssuer {
  /** The name in its certificate. */
  readonly name: string;
  readonly port: number;
  /** PEM. */
  readonly root: string;
  /** Where the control plane's certificate is, as a Secret and a ConfigMap would be mounted. */
  readonly files: { readonly certificate: string; readonly key: string; readonly roots: string };
  /** SPIFFE names that were issued, in order. */
  readonly issued: readonly string[];
  close(): void;
}

const NAME = "issuer.cert-manager.svc";

/** `ttlSeconds`: the most that it gives. */
export async function startCertificateIssuer(
  server: Pick<RealApiServer, "url" | "caPem" | "adminToken">,
  ttlSeconds: number,
): Promise<CertificateIssuer> {
  const folder = mkdtempSync(join(tmpdir(), "issuer-"));
  const child = fork(fileURLToPath(new URL("issuer.mjs", import.meta.url)), { execArgv: [] });
  child.send({
    folder,
    issuerName: NAME,
    controlPlane: ["istiod.istio-system.svc", "localhost"],
    ttl: ttlSeconds,
    kubernetes: { url: server.url, ca: server.caPem, token: server.adminToken },
  });
  const [told] = (await once(child, "message")) as [{ readonly port: number; readonly root: string }];
  const issued: string[] = [];
  child.on("message", (message: { readonly issued: string }) => void issued.push(message.issued));
  return {
    name: NAME,
    ...told,
    files: {
      certificate: join(folder, "tls/tls.crt"),
      key: join(folder, "tls/tls.key"),
      roots: join(folder, "ca/root-cert.pem"),
    },
    issued,
    close() {
      child.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
