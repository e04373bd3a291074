import { createHash, X509Certificate } from "node:crypto";
import { VERSION } from "../gen/version.ts";
import { splitPem } from "../pki/trust-path.ts";
import type { Question } from "./debug-question.ts";
import { type Answer, json } from "./http.ts";
import type { Shared } from "./shared.ts";
import { signsWorkloads } from "./signs-workloads.ts";

/** Nothing but the page's own files and answers: no script in the document, nothing from elsewhere, no frame around it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Headers of everything below /ui/. */
const HEADERS = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
} as const;

/** What a path below /ui is: a file of the page (src/page/). For callers who may see everything. */
export async function answerPage(path: string): Promise<Answer> {
  if (path === "/ui") return { status: 302, body: "", headers: { ...HEADERS, location: "/ui/" } };
  const { assets } = await import("../gen/page/assets.ts");
  const name = path === "/ui/" ? "index.html" : path.slice("/ui/".length);
  const asset = Object.hasOwn(assets, name) ? assets[name] : undefined;
  if (asset === undefined) return { status: 404, body: "not found\n", headers: HEADERS };
  return { status: 200, body: asset.body, contentType: asset.type, headers: HEADERS };
}

/** Questions of /debug that the page asks beside those that commands ask. */
export function pageQuestions(
  shared: Pick<Shared, "options" | "ports" | "authority" | "state">,
): Readonly<Record<string, Question>> {
  const startedAt = new Date();
  const { options } = shared;
  return {
    about: {
      answer: () =>
        json({
          version: VERSION,
          instance: options.instance,
          revision: options.revision,
          namespace: options.namespace,
          cluster: options.clusterId,
          node: process.version,
          startedAt: startedAt.toISOString(),
          memoryBytes: process.memoryUsage.rss(),
          ports: shared.ports,
        }),
    },
    authority: { answer: () => json(authorityOf(shared)) },
  };
}

/** One certificate of the authority. */
interface AuthorityCertificate {
  /** root: is trusted; signing: signs workloads; both when the root itself signs. */
  readonly role: string;
  readonly subject: string;
  readonly serial: string;
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string;
  readonly notBefore: string;
  readonly notAfter: string;
}

function authorityOf({ authority, state, options }: Pick<Shared, "authority" | "state" | "options">): {
  readonly trustDomain: string;
  readonly signs: boolean;
  readonly certificates: readonly AuthorityCertificate[];
} {
  const roles = new Map<string, string[]>();
  const add = (pem: string, role: string): void => {
    const known = roles.get(pem);
    if (known === undefined) roles.set(pem, [role]);
    else if (!known.includes(role)) known.push(role);
  };
  for (const pem of splitPem(authority.bundle())) add(pem, "root");
  const { certificate, intermediates } = authority.ca();
  for (const pem of intermediates.flatMap(splitPem)) add(pem, "intermediate");
  for (const pem of splitPem(certificate)) add(pem, "signing");
  const certificates = [...roles].map(([pem, words]): AuthorityCertificate => {
    const parsed = new X509Certificate(pem);
    return {
      role: words.join(", "),
      subject: parsed.subject.replaceAll("\n", ", "),
      serial: parsed.serialNumber,
      fingerprint: createHash("sha256").update(parsed.raw).digest("hex"),
      notBefore: new Date(parsed.validFrom).toISOString(),
      notAfter: new Date(parsed.validTo).toISOString(),
    };
  });
  return { trustDomain: state.trustDomains()[0], signs: signsWorkloads(options), certificates };
}
