import { performance } from "node:perf_hooks";
import { unwatchFile, watchFile } from "node:fs";
import { readFile } from "node:fs/promises";
import { errorText, EnvironmentError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { type CaCredential, requestCertificate } from "../grpc/ca-client.ts";
import type { SdsServer } from "../grpc/sds-server.ts";
import { readCertificate } from "../pki/certificate.ts";
import { createCsr } from "../pki/create-csr.ts";
import { type AgentConfig, PATHS } from "./config.ts";
import { resolveHost } from "./hosts.ts";
import { type IdentityEvent, initialIdentity, stepIdentity } from "./identity-state.ts";
import { earlierCertificate, type Issued, keepCertificate } from "./kept-certificate.ts";
import type { AgentMetrics } from "./metrics.ts";
import type { Runner } from "./runner.ts";

export interface IdentityDeps {
  readonly config: AgentConfig;
  readonly sds: SdsServer;
  readonly metrics: AgentMetrics;
  readonly log: Logger;
}

const REQUEST_TIMEOUT = 10_000;
/** How often the mounted roots are looked at. A mount changes by swapping links, which file events miss. */
const ROOTS_INTERVAL = 2_000;

/**
 * Consumes the service account token and the CA; offers `default` and `ROOTCA` over SDS. A new key for every
 * certificate, which exists in this process's and Envoy's memory alone. Starting does not wait for the first one. Roots that
 * change in their file are pushed without a new certificate.
 */
export function createIdentity(deps: IdentityDeps): Runner {
  const { config, sds, metrics, log } = deps;
  let state = initialIdentity;
  let timer: NodeJS.Timeout | undefined;
  let current: Issued | undefined;
  let fromCa = "";

  const publishRoots = (bundle: string): void => {
    sds.publish("ROOTCA", { kind: "roots", pem: mergeRoots(bundle, fromCa + config.moreRoots) });
  };
  const onRootsChanged = (): void => {
    readRoots(config.rootCert).then(publishRoots, (error: unknown) => log.warn({}, `roots kept: ${errorText(error)}`));
  };

  const handle = (event: IdentityEvent): void => {
    const [next, effects] = stepIdentity(state, event, config.secret);
    state = next;
    for (const effect of effects) {
      if (effect.type === "log") log[effect.level]({}, effect.message);
      else if (effect.type === "timer") {
        timer = setTimeout(() => handle({ type: "timer", now: Date.now() }), effect.delay);
        timer.unref();
      } else void request(effect.credential);
    }
  };

  const request = async (kind: "token" | "certificate"): Promise<void> => {
    const started = performance.now();
    try {
      const answer = await obtain(config, kind, current);
      const facts = readCertificate(answer.issued.chain);
      if (state.phase === "closed") return;
      current = answer.issued;
      fromCa = answer.root;
      publishRoots(answer.roots);
      sds.publish("default", { kind: "certificate", ...current });
      await keep(deps, current, mergeRoots(answer.roots, fromCa + config.moreRoots));
      metrics.csr("ok", performance.now() - started);
      metrics.certificate(facts.notAfter);
      const validity = { notBefore: facts.notBefore.getTime(), notAfter: facts.notAfter.getTime() };
      handle({ type: "issued", validity, now: Date.now(), random: Math.random() });
    } catch (error) {
      metrics.csr("failed", performance.now() - started);
      handle({ type: "refused", error: errorText(error), now: Date.now(), random: Math.random() });
    }
  };

  return {
    name: "identity",
    start: async () => {
      watchFile(config.rootCert, { interval: ROOTS_INTERVAL, persistent: false }, onRootsChanged);
      const kept = await earlierCertificate(config.secret.provisioned);
      current = kept?.issued;
      handle({ type: "start", now: Date.now(), ...(kept === undefined ? {} : { held: kept.validity }) });
    },
    close: () => {
      clearTimeout(timer);
      unwatchFile(config.rootCert, onRootsChanged);
      handle({ type: "close" });
      return Promise.resolve();
    },
  };
}

/** A folder that cannot be written costs the next life its start without a token, not this one its certificate. */
async function keep({ config, log }: IdentityDeps, issued: Issued, roots: string): Promise<void> {
  await keepCertificate(config.secret.output, issued, roots).catch((error: unknown) => {
    log.warn({}, `the certificate is not kept: ${errorText(error)}`);
  });
}

interface Obtained {
  readonly issued: Issued;
  /** What the CA says its root is, and the mounted bundle at the time; both PEM. */
  readonly root: string;
  readonly roots: string;
}

/** A new key and a certificate for it. The CA gives its root last: it is for ROOTCA, not for handshakes. */
async function obtain(
  config: AgentConfig,
  kind: "token" | "certificate",
  current: Issued | undefined,
): Promise<Obtained> {
  const roots = await readRoots(config.rootCert);
  const { csr, key } = await createCsr();
  const answer = await requestCertificate({
    address: await resolveHost(config.ca),
    serverName: config.serverName,
    roots,
    csr,
    ttlSeconds: Math.round(config.secret.ttl / 1000),
    credential: await credential(kind, current),
    clusterId: clusterId(config),
    timeout: REQUEST_TIMEOUT,
  });
  const chain = answer.length > 1 ? answer.slice(0, -1) : answer;
  return { issued: { chain: joinPem(chain), key }, root: answer.at(-1) ?? "", roots };
}

/** The two bundles without doubles: certificates of an old root verify while the new one spreads. */
export function mergeRoots(bundle: string, fromCa: string): string {
  const pems = `${bundle}\n${fromCa}`.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const bare = (pem: string): string => pem.replaceAll(/\s/g, "");
  const seen = new Set<string>();
  return joinPem(pems.filter((pem) => !seen.has(bare(pem)) && seen.add(bare(pem))));
}

function joinPem(pems: readonly string[]): string {
  return pems.map((pem) => `${pem.trim()}\n`).join("");
}

async function readRoots(path: string): Promise<string> {
  return readMounted(path, "Wait for the ConfigMap istio-ca-root-cert in this namespace; istiod writes it.");
}

async function credential(kind: "token" | "certificate", current: Issued | undefined): Promise<CaCredential> {
  if (kind === "certificate" && current !== undefined) return { kind, ...current };
  const token = await readMounted(PATHS.token, "Mount a service account token for audience istio-ca there.");
  return { kind: "token", token: token.trim() };
}

async function readMounted(path: string, hint: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new EnvironmentError("agent-file", `${path}: ${errorText(cause)}. ${hint}`, { hint, cause });
  }
}

function clusterId(config: AgentConfig): string | undefined {
  const value = config.metadata["CLUSTER_ID"];
  return typeof value === "string" ? value : undefined;
}
