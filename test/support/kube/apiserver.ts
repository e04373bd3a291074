import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const scripts = fileURLToPath(new URL("./envtest/", import.meta.url));

/** A real kube-apiserver with its etcd on free loopback ports, RBAC on, one per call. */
export interface RealApiServer {
  /** Path of a kubeconfig: client certificate of system:masters. */
  readonly kubeconfig: string;
  /** Path of a kubeconfig with a bearer token instead. */
  readonly kubeconfigToken: string;
  readonly url: string;
  /** PEM of the CA of the serving certificate. */
  readonly caPem: string;
  /** Bearer token of a user in system:masters. */
  readonly adminToken: string;
  /** PEM of the key that signs tokens of service accounts. */
  readonly accountKey: string;
  /** Directory with etcd, kube-apiserver and kubectl. */
  readonly assets: string;
  /** What this user asked for, in order; needs `audit`. */
  audited(username: string): Promise<readonly AuditedRequest[]>;
  /** Makes etcd forget its history, so that older resourceVersions are gone. */
  compact(): Promise<void>;
  /** Default: killed, as nobody starts it again; with TERM it closes its connections first, which takes a second and more. */
  stop(signal?: "KILL" | "TERM"): Promise<void>;
}

/** A request as the API server's audit log has it (audit.k8s.io/v1), once it was answered or, for a watch, began. */
export interface AuditedRequest {
  readonly verb: string;
  readonly requestURI: string;
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code: number };
}

/** Directory with etcd, kube-apiserver and kubectl (the envtest convention): built from Go modules when missing. */
export async function kubeAssets(): Promise<string> {
  const given = process.env["KUBEBUILDER_ASSETS"];
  if (given !== undefined && given !== "") return given;
  const { stdout } = await run(join(scripts, "setup-envtest.sh"), [], { maxBuffer: 1 << 24 });
  return stdout.trim().split("\n").at(-1) ?? "";
}

/**
 * Starts etcd and kube-apiserver and waits until /readyz is ok (about 3 s). `controllers` also runs the real
 * controller-manager, so that namespaces get a default service account and deletion is finished; `audit` writes down who asked
 * what; `flags` are kube-apiserver's own.
 */
export async function startApiServer(
  options: { controllers?: boolean; audit?: boolean; flags?: readonly string[] } = {},
): Promise<RealApiServer> {
  const assets = await kubeAssets();
  const dir = await mkdtemp(join(tmpdir(), "meshctl-apiserver-"));
  const controllers = options.controllers === true ? ["--controllers", "*"] : [];
  const stop = async (signal: "KILL" | "TERM" = "KILL"): Promise<void> => {
    await run(join(scripts, "stop-apiserver.sh"), [dir, signal]);
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const { stdout } = await run(join(scripts, "start-apiserver.sh"), [
      "--dir",
      dir,
      "--assets",
      assets,
      ...controllers,
      "--",
      ...(options.audit === true ? await auditFlags(dir) : []),
      ...(options.flags ?? []),
    ]);
    const url = /^SERVER=(.*)$/m.exec(stdout)?.[1];
    const etcd = /^ETCD=(.*)$/m.exec(stdout)?.[1];
    if (url === undefined) throw new Error(`start-apiserver.sh named no server:\n${stdout}`);
    return {
      kubeconfig: join(dir, "kubeconfig"),
      kubeconfigToken: join(dir, "kubeconfig-token"),
      url,
      caPem: await readFile(join(dir, "ca.crt"), "utf8"),
      adminToken: (await readFile(join(dir, "token"), "utf8")).trim(),
      accountKey: await readFile(join(dir, "pki", "sa.key"), "utf8"),
      assets,
      audited: (username) => readAudit(dir, username),
      compact: async () => {
        await compactEtcd(etcd ?? "");
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Who asked what, without bodies; the answer to a watch counts when it starts, for it ends with the server. */
const AUDIT_POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [{ level: "Metadata" }],
};

async function auditFlags(dir: string): Promise<readonly string[]> {
  const policy = join(dir, "audit-policy.json");
  await writeFile(policy, JSON.stringify(AUDIT_POLICY));
  const log = join(dir, "audit.log");
  // each line as it happens: what was answered is in the file
  return ["--audit-policy-file", policy, "--audit-log-path", log, "--audit-log-mode", "blocking"];
}

async function readAudit(dir: string, username: string): Promise<readonly AuditedRequest[]> {
  const text = await readFile(join(dir, "audit.log"), "utf8");
  const lines = text.split("\n").filter((line) => line !== "");
  const all = lines.map((line) => JSON.parse(line) as AuditedRequest & { user: { username: string } });
  return all.filter(({ user }) => user.username === username);
}

async function compactEtcd(etcd: string): Promise<void> {
  const post = async (path: string, body: unknown): Promise<unknown> => {
    const answer = await fetch(`${etcd}${path}`, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`etcd answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  };
  const key = Buffer.from("none").toString("base64");
  const { header } = (await post("/v3/kv/range", { key })) as { header: { revision: string } };
  await post("/v3/kv/compaction", { revision: header.revision, physical: true });
}
