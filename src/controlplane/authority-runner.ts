import { delay } from "../base/delay.ts";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { type Authority, OWN_SECRET, PLUGGED_SECRET } from "../pki/authority-secret.ts";
import type { Ca } from "../pki/ca.ts";
import {
  isRevoked,
  readRevocationLists,
  type RevocationList,
  type RevocationScope,
  revocationScope,
} from "../pki/revocation.ts";
import { mergePem } from "../pki/trust-path.ts";
import type { Cluster, WatchEvent } from "../resources/cluster.ts";
import type { ServerIdentity } from "../grpc/mixed-credentials.ts";
import { openAuthority, renewedRoot, type ServingOptions, servingIdentity } from "./authority.ts";
import type { Runner } from "./runner.ts";
import type { State } from "./state.ts";

export interface AuthorityDeps {
  readonly cluster: Pick<Cluster, "get" | "create" | "mergePatch" | "watch">;
  readonly state: Pick<State, "derivations" | "leading" | "trustDomains">;
  /** PEM of roots that are trusted beside those of the CA, for any trust domain (TrustBundles); tracked. */
  readonly moreRoots: () => string;
  readonly namespace: string;
  readonly onExpiry: (root: Date) => void;
  readonly now: () => number;
  readonly log: Logger;
}

/** The CA as it is now. */
export interface AuthorityRunner extends Runner {
  /** Tracked. Throws before `start` has resolved. */
  readonly ca: () => Ca;
  /** What the control plane's ports show. Rejects before `start` has resolved. */
  readonly serving: (names: Omit<ServingOptions, "clientRoots">) => Promise<ServerIdentity>;
  /** PEM of the roots that everybody is to trust; tracked, empty before `start` has resolved. */
  readonly bundle: () => string;
  /** The lists that every proxy is to check, and how far they reach; tracked, undefined: there are none. */
  readonly revocations: () => Revocations | undefined;
  /** Whether a client certificate (DER) is on one of the lists. */
  readonly isRevoked: (certificate: Uint8Array) => boolean;
}

export interface Revocations {
  readonly lists: readonly RevocationList[];
  readonly pem: string;
  readonly scope: RevocationScope;
}

const SECRET = { apiVersion: "v1", kind: "Secret" };
const RETRY_MS = 1_000;
const CHECK_MS = 3600_000;
const SERVING_RENEWAL_MS = 24 * 3600_000;

/**
 * Consumes the Secrets cacerts and istio-ca-secret; offers the CA in them. What changes there is taken over while everything
 * goes on; what cannot be used is reported, and the CA that was there before goes on signing. The root that the mesh made for
 * itself is renewed, under the same key, by the leader, long before its end.
 */
export function createAuthority(deps: AuthorityDeps): AuthorityRunner {
  const abort = new AbortController();
  const running: Promise<void>[] = [];
  const held = createHeld(deps);
  let check: NodeJS.Timeout | undefined;
  let unfollow = (): void => {};

  const read = async (): Promise<void> => {
    await held.take(await openAuthority(deps.cluster, { ...deps, trustDomain: deps.state.trustDomains()[0] }));
  };
  // One after the other: an older reading must not come in after a newer one.
  let reading = Promise.resolve();
  const onChange = (): void => {
    reading = reading.then(read).catch((error: unknown) => {
      deps.log.error({ error: errorText(error) }, "the certificate authority cannot be read; the former one stays");
    });
  };
  return {
    ...held,
    name: "authority",
    async start() {
      while (held.current() === undefined && !abort.signal.aborted) {
        try {
          await read();
        } catch (error) {
          deps.log.error({ error: errorText(error) }, "the certificate authority cannot be opened; trying again");
          await delay(RETRY_MS, abort.signal);
        }
      }
      if (abort.signal.aborted) return;
      for (const name of [PLUGGED_SECRET, OWN_SECRET]) running.push(follow(deps, name, onChange, abort.signal));
      check = setInterval(() => void renew(deps, held.current()), CHECK_MS);
      unfollow = deps.state.derivations.effect(() => {
        const current = held.current();
        if (deps.state.leading.get()) void renew(deps, current);
      });
    },
    async close() {
      abort.abort();
      clearInterval(check);
      unfollow();
      await Promise.all(running);
    },
  };
}

type Held = Pick<AuthorityRunner, "ca" | "serving" | "bundle" | "revocations" | "isRevoked"> & {
  /** Makes it the current one, with its lists when those can be used. */
  readonly take: (next: Authority) => Promise<void>;
  /** Tracked. */
  readonly current: () => Authority | undefined;
};

/** What was last read. */
function createHeld(deps: Pick<AuthorityDeps, "state" | "moreRoots" | "onExpiry" | "now" | "log">): Held {
  const version = deps.state.derivations.source("");
  let current: Authority | undefined;
  let revocations: Revocations | undefined;
  const ca = (): Ca => {
    version.get();
    if (current === undefined) throw new Error("the certificate authority is not open");
    return current.ca;
  };
  const bundle = (): string => {
    version.get();
    return current === undefined ? "" : mergePem(current.ca.roots, deps.moreRoots());
  };
  return {
    ca,
    bundle,
    serving: async (names) => servingIdentity(ca(), { ...names, clientRoots: bundle() }),
    async take(next) {
      try {
        revocations = await readRevocations(next, deps.now());
      } catch (error) {
        const words = "revocations cannot be used; the former ones stay";
        deps.log.error({ secret: next.secret, error: errorText(error) }, words);
      }
      const before = current;
      current = next;
      deps.onExpiry(next.ca.notAfter);
      version.set([next.ca.certificate, next.ca.roots, revocations?.pem, revocations?.scope].join());
      if (before === undefined || before.ca.certificate + before.ca.roots === next.ca.certificate + next.ca.roots)
        return;
      const until = next.ca.notAfter.toISOString();
      deps.log.info({ secret: next.secret, until }, "the certificate authority changed");
    },
    current() {
      version.get();
      return current;
    },
    revocations() {
      version.get();
      return revocations;
    },
    isRevoked: (certificate) => revocations !== undefined && isRevoked(revocations.lists, certificate),
  };
}

async function readRevocations(authority: Authority, now: number): Promise<Revocations | undefined> {
  const lists = readRevocationLists(authority.revocations);
  if (lists.length === 0) return undefined;
  const scope = await revocationScope(authority.ca, lists, now);
  return { lists, pem: lists.map(({ pem }) => pem).join(""), scope };
}

/** Calls `onChange` when the Secret was there at first, appears, changes or goes. */
async function follow(deps: AuthorityDeps, name: string, onChange: () => void, signal: AbortSignal): Promise<void> {
  const only = { namespace: deps.namespace, fieldSelector: `metadata.name=${name}` };
  const onEvent = (event: WatchEvent): void => {
    if (event.type !== "SYNCED" && !signal.aborted) onChange();
  };
  while (!signal.aborted) {
    try {
      await deps.cluster.watch(SECRET, only, onEvent, signal);
    } catch (error) {
      deps.log.warn({ secret: name, error: errorText(error) }, "cannot watch the authority's Secret; trying again");
      await delay(RETRY_MS, signal);
    }
  }
}

/**
 * Calls `renew` once a day, and whenever the CA, its roots or the TLS versions to be taken may have changed, until the returned
 * function is called.
 */
export function renewServing(
  on: {
    readonly authority: AuthorityRunner;
    readonly state: Pick<State, "derivations" | "meshConfig">;
    readonly onFault: (error: unknown) => void;
  },
  renew: () => Promise<void>,
): () => void {
  const run = (): void => void renew().catch(on.onFault);
  let isFirst = true;
  const unfollow = on.state.derivations.effect(() => {
    on.authority.bundle();
    on.state.meshConfig();
    if (!isFirst) run();
    isFirst = false;
  });
  const timer = setInterval(run, SERVING_RENEWAL_MS);
  return () => {
    unfollow();
    clearInterval(timer);
  };
}

/** Writes a later root when it is time; everybody, we too, learns it from the Secret. */
async function renew(deps: AuthorityDeps, authority: Authority | undefined): Promise<void> {
  if (authority === undefined || !deps.state.leading.get()) return;
  try {
    const data = await renewedRoot(authority, deps.now());
    if (data === undefined) return;
    await deps.cluster.mergePatch({ ...SECRET, namespace: deps.namespace, name: OWN_SECRET }, { data });
    deps.log.info({ secret: `${deps.namespace}/${OWN_SECRET}` }, "renewed the root certificate under its key");
  } catch (error) {
    deps.log.error({ error: errorText(error) }, "the root certificate cannot be renewed; trying again in an hour");
  }
}
