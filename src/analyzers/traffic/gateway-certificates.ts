import type { FieldPath } from "../../diagnostics/finding.ts";
import { namedSelector } from "../../model/selectors.ts";
import { type CertificateFacts, readCertificate } from "../../pki/certificate.ts";
import type { Secret } from "../../resources/core.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/**
 * Secrets that a gateway's servers name, as its pods find them: in their own namespace. A missing or unusable one is IST0101
 * or IST0161; here: the names of its certificate, and that it ends soon.
 */
export const gatewayCertificates = defineAnalyzer({
  name: "gateway-certificates",
  summary: "Checks that gateways' certificates have the names of their hosts and do not end soon.",
  reads: ["Gateway", "Pod", "Secret"],
  codes: ["MSH0107", "MSH0108"],
  analyze: (input) => {
    const parse = certificateReader();
    for (const gateway of input.world.list("Gateway")) {
      const namespace = namespaceOf(input, gateway);
      for (const [index, { tls, hosts }] of (gateway.spec?.servers ?? []).entries()) {
        if (tls === undefined || !["SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"].includes(tls.mode ?? "")) continue;
        const names = tls.credentialNames ?? (tls.credentialName === undefined ? [] : [tls.credentialName]);
        const server: Server = { gateway, hosts, tls, names, namespace, at: ["spec", "servers", index] };
        checkNames(input, server, parse);
      }
    }
  },
});

type Input = AnalyzerInput<"Gateway" | "Pod" | "Secret", "MSH0107" | "MSH0108">;
type Gateway = KindTypes["Gateway"];
type Tls = NonNullable<NonNullable<NonNullable<Gateway["spec"]>["servers"]>[number]["tls"]>;
type Reader = (secret: Secret | undefined) => CertificateFacts | undefined;

interface Server {
  readonly gateway: Gateway;
  readonly hosts: readonly string[];
  readonly tls: Tls;
  /** Secrets with a certificate. */
  readonly names: readonly string[];
  readonly namespace: string;
  readonly at: FieldPath;
}

/** Gateway pods read Secrets of their own namespace; where no pod is known, the Gateway's is the best guess. */
function namespaceOf({ model }: Input, { spec, metadata }: Gateway): string {
  const selector = namedSelector(spec?.selector);
  const [pod] = selector === undefined ? [] : model.workloads.selected(undefined, selector);
  return pod?.metadata.namespace ?? metadata.namespace ?? "";
}

const SOON_MS = 30 * 24 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

function checkNames({ world, report, now }: Input, server: Server, parse: Reader): void {
  const { gateway, namespace, at, tls } = server;
  const found = server.names.flatMap((name, index) => {
    const facts = parse(world.get("Secret", namespace, name));
    return facts === undefined ? [] : [{ facts, secret: `${namespace}/${name}`, index }];
  });
  for (const { facts, secret, index } of found) {
    const left = facts.notAfter.getTime() - now.getTime();
    const path = tls.credentialNames === undefined ? ["credentialName"] : ["credentialNames", index];
    if (left <= 0 || left > SOON_MS) continue;
    const until = facts.notAfter.toISOString().slice(0, 10);
    report(gateway, [...at, "tls", ...path], "MSH0108", { secret, until, days: Math.floor(left / DAY_MS) });
  }
  const [first] = found;
  if (first === undefined || found.length < server.names.length) return;
  const names = [...new Set(found.flatMap(({ facts }) => facts.dnsNames))];
  for (const [index, written] of server.hosts.entries()) {
    const host = written.slice(written.indexOf("/") + 1);
    if (host === "*" || names.some((name) => covers(name, host))) continue;
    const text = names.length === 0 ? "no DNS name" : names.join(", ");
    report(gateway, [...at, "hosts", index], "MSH0107", { host, secret: first.secret, names: text });
  }
}

/** Whether a name in a certificate is for a host; a wildcard in a certificate stands for one label. */
export function covers(name: string, host: string): boolean {
  if (name.toLowerCase() === host.toLowerCase()) return true;
  return (
    name.startsWith("*.") &&
    !host.startsWith("*") &&
    name.slice(1).toLowerCase() === host.slice(host.indexOf(".")).toLowerCase()
  );
}

/** Reads each Secret's certificate once; undefined when there is none that can be read. */
export function certificateReader(): Reader {
  const read = new Map<Secret, CertificateFacts | undefined>();
  return (secret) => {
    if (secret === undefined) return undefined;
    if (!read.has(secret)) read.set(secret, certificateOf(secret));
    return read.get(secret);
  };
}

/** `stringData` is what people write, `data` (base64) what the API server keeps. */
function certificateOf({ data, ...rest }: Secret): CertificateFacts | undefined {
  const written = rest["stringData"] as Readonly<Record<string, string>> | undefined;
  const encoded = data?.["tls.crt"] ?? data?.["cert"] ?? "";
  try {
    return readCertificate(written?.["tls.crt"] ?? written?.["cert"] ?? Buffer.from(encoded, "base64").toString());
  } catch {
    return undefined;
  }
}
