import { existsSync, readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import ipaddr from "ipaddr.js";
import type { Derivations, Source } from "../base/derive.ts";
import { errorText, MeshError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { KeySetRef, KeySets } from "../model/request-authentication.ts";
import type { World } from "../resources/world.ts";
import { durationMs } from "../base/duration.ts";
import { type FetchLimits, fetchKeys } from "./jwks-fetch.ts";

/** Keys of the token issuers that RequestAuthentications name, kept fresh. */
export interface KeyKeeper {
  /** For the model; tracked. */
  readonly keySets: KeySets;
  /** Follows the RequestAuthentications of the World, until the returned function is called. */
  follow(world: World): () => void;
  /** Follows these, tracked, in the same way: in place of a World. */
  followRefs(refs: () => readonly KeySetRef[]): () => void;
}

export interface KeyKeeperOptions {
  readonly derivations: Derivations;
  readonly limits: FetchLimits;
  /** Told of each failed attempt. */
  readonly onFailure: (ref: KeySetRef, error: unknown) => void;
  /** Told of each attempt that succeeded. */
  readonly onFetched?: () => void;
  /** How long keys are used before they are fetched again; Istio's 20 minutes unless told otherwise. */
  readonly refreshMs?: number;
}

const REFRESH_MS = 20 * 60_000;
/** After a failure: at once at first, then ever slower, since a request with a token fails meanwhile. */
const RETRY_MS = { first: 500, most: 60_000 };
const FETCH_TIMEOUT_MS = 5_000;

/** Fetches what is asked for and keeps it fresh. What was fetched once stays when a later attempt fails. */
export function createKeyKeeper({
  derivations,
  limits,
  onFailure,
  onFetched,
  refreshMs = REFRESH_MS,
}: KeyKeeperOptions): KeyKeeper {
  const known = new Map<string, Source<string | undefined>>();
  const sourceOf = (key: string): Source<string | undefined> => {
    const source = known.get(key) ?? derivations.source<string | undefined>(undefined);
    known.set(key, source);
    return source;
  };
  const running = new Map<string, () => void>();
  const start = (key: string, ref: KeySetRef): void => {
    let timer: NodeJS.Timeout | undefined;
    let stopped = false;
    const attempt = async (failures: number): Promise<void> => {
      let wait = refreshMs;
      let again = 0;
      try {
        const text = await fetchKeys(ref, limits);
        onFetched?.();
        if (!stopped) sourceOf(key).set(text);
      } catch (error) {
        if (!stopped) onFailure(ref, error);
        again = failures + 1;
        wait = Math.min(RETRY_MS.first * 2 ** failures, RETRY_MS.most, refreshMs);
      }
      if (!stopped) timer = setTimeout(() => void attempt(again), wait).unref();
    };
    timer = setTimeout(() => void attempt(0), 0).unref();
    running.set(key, () => {
      stopped = true;
      clearTimeout(timer);
    });
  };
  const settle = (wanted: ReadonlyMap<string, KeySetRef>): void => {
    for (const [key, stop] of running)
      if (!wanted.has(key)) {
        stop();
        running.delete(key);
        known.delete(key);
      }
    for (const [key, ref] of wanted) if (!running.has(key)) start(key, ref);
  };
  const followRefs = (refs: () => readonly KeySetRef[]): (() => void) => {
    const unfollow = derivations.effect(() => settle(new Map(refs().map((ref) => [keyOf(ref), ref]))));
    return () => {
      unfollow();
      settle(new Map());
    };
  };
  return {
    keySets: (ref) => sourceOf(keyOf(ref)).get(),
    follow: (world) => followRefs(() => wantedOf(world)),
    followRefs,
  };
}

function keyOf({ issuer, uri }: KeySetRef): string {
  return JSON.stringify(uri === "" ? { issuer } : { uri });
}

function wantedOf(world: World): readonly KeySetRef[] {
  const rules = world.list("RequestAuthentication").flatMap(({ spec }) => spec?.jwtRules ?? []);
  return rules
    .filter(({ jwks = "" }) => jwks === "")
    .map(({ issuer = "", jwksUri, jwks_uri: old, timeout }): KeySetRef => {
      const timeoutMs = (timeout === undefined ? undefined : durationMs(timeout)) ?? FETCH_TIMEOUT_MS;
      return { issuer, uri: jwksUri ?? old ?? "", timeoutMs };
    });
}

/** Fetching within these limits (default: those of an empty environment), failures in the log. */
export function loggedKeys(
  limits: FetchLimits | undefined,
  log: Logger,
  onAttempt: (isFetched: boolean) => void = () => undefined,
): Pick<KeyKeeperOptions, "limits" | "onFailure" | "onFetched"> {
  return {
    limits: limits ?? fetchLimits({}),
    onFetched: () => onAttempt(true),
    onFailure({ issuer, uri }, error) {
      onAttempt(false);
      log.warn({ issuer, uri, error: errorText(error) }, "keys of a token issuer could not be fetched");
    },
  };
}

/** Where further authorities of issuers' certificates may be mounted (as for istiod). */
const EXTRA_ROOTS = "/cacerts/extra.pem";

/**
 * The limits that the control plane's environment sets: MESHD_JWKS_ALLOWED_CIDRS and Istio's BLOCKED_CIDRS_IN_JWKS_URIS, both
 * lists with commas. Throws MeshError `environment` for what is no range.
 */
export function fetchLimits(env: Readonly<Record<string, string | undefined>>): FetchLimits {
  const roots = existsSync(EXTRA_ROOTS) ? [...rootCertificates, readFileSync(EXTRA_ROOTS, "utf8")] : undefined;
  return {
    allowed: ranges(env, "MESHD_JWKS_ALLOWED_CIDRS"),
    blocked: ranges(env, "BLOCKED_CIDRS_IN_JWKS_URIS"),
    ...(roots === undefined ? {} : { roots }),
  };
}

function ranges(env: Readonly<Record<string, string | undefined>>, name: string): readonly string[] {
  const list = (env[name] ?? "").split(",").map((item) => item.trim());
  return list
    .filter((item) => item !== "")
    .map((item) => {
      if (ipaddr.isValidCIDR(item)) return item;
      throw new MeshError("environment", `${name}: ${item} is no range, expected CIDR notation such as 10.0.0.0/8`);
    });
}
