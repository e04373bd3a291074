import { delay } from "../base/delay.ts";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Ca } from "../pki/ca.ts";
import type { Cluster, WatchEvent } from "../resources/cluster.ts";
import { type Authority, openAuthority, OWN_SECRET, PLUGGED_SECRET, renewedRoot } from "./authority.ts";
import type { Runner } from "./runner.ts";
import type { State } from "./state.ts";

export interface AuthorityDeps {
  readonly cluster: Pick<Cluster, "get" | "create" | "mergePatch" | "watch">;
  readonly state: Pick<State, "derivations" | "leading" | "trustDomains">;
  readonly namespace: string;
  readonly onExpiry: (root: Date) => void;
  readonly now: () => number;
  readonly log: Logger;
}

/** The CA as it is now. */
export interface AuthorityRunner extends Runner {
  /** Tracked. Throws before `start` has resolved. */
  readonly ca: () => Ca;
  /** PEM of the roots that everybody is to trust; tracked, empty before `start` has resolved. */
  readonly bundle: () => string;
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
  const version = deps.state.derivations.source("");
  const running: Promise<void>[] = [];
  let current: Authority | undefined;
  let check: NodeJS.Timeout | undefined;
  let unfollow = (): void => {};

  const take = (next: Authority): void => {
    const before = current;
    current = next;
    deps.onExpiry(next.ca.notAfter);
    version.set(`${next.ca.certificate}${next.ca.roots}`);
    if (before === undefined || before.ca.certificate + before.ca.roots === next.ca.certificate + next.ca.roots) return;
    deps.log.info({ secret: next.secret, until: next.ca.notAfter.toISOString() }, "the certificate authority changed");
  };
  const read = async (): Promise<void> => {
    take(await openAuthority(deps.cluster, { ...deps, trustDomain: deps.state.trustDomains()[0] }));
  };
  const onChange = (): void => {
    read().catch((error: unknown) => {
      deps.log.error({ error: errorText(error) }, "the certificate authority cannot be read; the former one stays");
    });
  };
  return {
    name: "authority",
    ca() {
      version.get();
      if (current === undefined) throw new Error("the certificate authority is not open");
      return current.ca;
    },
    bundle() {
      version.get();
      return current?.ca.roots ?? "";
    },
    async start() {
      while (current === undefined && !abort.signal.aborted) {
        try {
          await read();
        } catch (error) {
          deps.log.error({ error: errorText(error) }, "the certificate authority cannot be opened; trying again");
          await delay(RETRY_MS, abort.signal);
        }
      }
      if (abort.signal.aborted) return;
      for (const name of [PLUGGED_SECRET, OWN_SECRET]) running.push(follow(deps, name, onChange, abort.signal));
      check = setInterval(() => void renew(deps, current), CHECK_MS);
      unfollow = deps.state.derivations.effect(() => {
        version.get();
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

/** Calls `renew` once a day, and whenever the CA or its roots have changed, until the returned function is called. */
export function renewServing(
  on: {
    readonly authority: AuthorityRunner;
    readonly state: Pick<State, "derivations">;
    readonly onFault: (error: unknown) => void;
  },
  renew: () => Promise<void>,
): () => void {
  const run = (): void => void renew().catch(on.onFault);
  let isFirst = true;
  const unfollow = on.state.derivations.effect(() => {
    on.authority.bundle();
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
