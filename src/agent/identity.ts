import { performance } from "node:perf_hooks";
import { errorText } from "../base/errors.ts";
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
import { followTrust } from "./told-trust.ts";
import { createTrust, readMounted } from "./trust.ts";

export interface IdentityDeps {
  readonly config: AgentConfig;
  readonly sds: SdsServer;
  readonly metrics: AgentMetrics;
  readonly log: Logger;
}

const REQUEST_TIMEOUT = 10_000;

/**
 * Consumes the service account token and the CA; offers `default` and `ROOTCA` over SDS. A new key for every
 * certificate, which exists in this process's and Envoy's memory alone. Starting does not wait for the first one. Roots that
 * change in their file are pushed without a new certificate; another authority that signs brings a new certificate soon.
 */
export function createIdentity(deps: IdentityDeps): Runner {
  const { config, sds, metrics, log } = deps;
  let state = initialIdentity;
  let timer: NodeJS.Timeout | undefined;
  let current: Issued | undefined;
  const trust = createTrust({ ...deps, onSuperseded: () => handle({ type: "superseded", random: Math.random() }) });

  const handle = (event: IdentityEvent): void => {
    const [next, effects] = stepIdentity(state, event, config.secret);
    state = next;
    for (const effect of effects) {
      if (effect.type === "log") log[effect.level]({}, effect.message);
      else if (effect.type === "timer") {
        clearTimeout(timer);
        timer = setTimeout(() => handle({ type: "timer", now: Date.now() }), effect.delay).unref();
      } else void request(effect.credential);
    }
  };

  const request = async (kind: "token" | "certificate"): Promise<void> => {
    const started = performance.now();
    try {
      const answer = await obtain(deps, { kind, current, roots: await trust.roots() });
      const facts = readCertificate(answer.issued.chain);
      if (state.phase === "closed") return;
      current = answer.issued;
      const trusted = await trust.issued({ chain: current.chain, root: answer.root });
      sds.publish("default", { kind: "certificate", ...current });
      await keep(deps, current, trusted);
      metrics.csr("ok", performance.now() - started);
      metrics.certificate(facts.notAfter);
      const validity = { notBefore: facts.notBefore.getTime(), notAfter: facts.notAfter.getTime() };
      const isStray = trust.isStray(current.chain);
      handle({ type: "issued", validity, isStray, now: Date.now(), random: Math.random() });
    } catch (error) {
      metrics.csr("failed", performance.now() - started);
      handle({ type: "refused", error: errorText(error), now: Date.now(), random: Math.random() });
    }
  };

  const ends = [() => trust.close()];
  return {
    name: "identity",
    start: async () => {
      trust.start();
      const certificate = (): CaCredential | undefined => credentialOf(current);
      ends.push(followTrust({ config, log, certificate, onTold: (text) => trust.told(text) }));
      const kept = await earlierCertificate(config.secret.provisioned);
      current = kept?.issued;
      handle({ type: "start", now: Date.now(), ...(kept === undefined ? {} : { held: kept.validity }) });
    },
    close: () => {
      clearTimeout(timer);
      for (const end of ends) end();
      handle({ type: "close" });
      return Promise.resolve();
    },
  };
}

function credentialOf(issued: Issued | undefined): CaCredential | undefined {
  return issued === undefined ? undefined : { kind: "certificate", ...issued };
}

/** A folder that cannot be written costs the next life its start without a token, not this one its certificate. */
async function keep({ config, log }: IdentityDeps, issued: Issued, roots: string): Promise<void> {
  await keepCertificate(config.secret.output, issued, roots).catch((error: unknown) => {
    log.warn({}, `the certificate is not kept: ${errorText(error)}`);
  });
}

interface Obtained {
  readonly issued: Issued;
  /** What the CA says its roots are; PEM. */
  readonly root: string;
}

/** A new key and a certificate for it. The CA gives its root last: it is for ROOTCA, not for handshakes. */
async function obtain(
  { config }: IdentityDeps,
  by: { readonly kind: "token" | "certificate"; readonly current: Issued | undefined; readonly roots: string },
): Promise<Obtained> {
  const { csr, key } = await createCsr(config.identity);
  const answer = await requestCertificate({
    address: await resolveHost(config.ca),
    serverName: config.caServerName,
    roots: by.roots,
    csr,
    ttlSeconds: Math.round(config.secret.ttl / 1000),
    credential: await credential(by.kind, by.current),
    clusterId: clusterId(config),
    timeout: REQUEST_TIMEOUT,
  });
  const chain = answer.length > 1 ? answer.slice(0, -1) : answer;
  return { issued: { chain: joinPem(chain), key }, root: answer.at(-1) ?? "" };
}

function joinPem(pems: readonly string[]): string {
  return pems.map((pem) => `${pem.trim()}\n`).join("");
}

async function credential(kind: "token" | "certificate", current: Issued | undefined): Promise<CaCredential> {
  if (kind === "certificate" && current !== undefined) return { kind, ...current };
  const token = await readMounted(PATHS.token, "Mount a service account token for audience istio-ca there.");
  return { kind: "token", token: token.trim() };
}

function clusterId(config: AgentConfig): string | undefined {
  const value = config.metadata["CLUSTER_ID"];
  return typeof value === "string" ? value : undefined;
}
