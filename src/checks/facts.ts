import { ClusterError } from "../base/errors.ts";
import type { Finding } from "../diagnostics/finding.ts";
import type { ClusterReader, ListOptions } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import { API_OF, type ShapeName, type Shapes } from "./shapes.ts";

/** A proxy as the control plane sees it. */
export interface ProxyFacts {
  readonly name: string;
  readonly namespace: string;
  readonly version: string;
  /** SYNCED, STALE, NACK or NOT CONNECTED */
  readonly status: string;
  /** What it said when it refused something. */
  readonly refusals: readonly string[];
}

/** A certificate that a process uses, as PEM or as dates. */
export interface UsedCertificate {
  /** `namespace/pod` */
  readonly pod: string;
  readonly notAfter: Date;
  readonly dnsNames: readonly string[];
  /** `spiffe://…` of the URI SAN. */
  readonly uris: readonly string[];
  /** PEM; absent where the process tells dates alone. */
  readonly pem?: string;
  /** Serial numbers of the roots that the process trusts; absent: not told. */
  readonly roots?: readonly string[];
}

/** Questions that need more than the API server's objects: the command answers them. Each throws ClusterError. */
export interface Probes {
  readonly proxies: () => Promise<readonly ProxyFacts[]>;
  readonly findings: () => Promise<readonly Finding[]>;
  /** Sums of counters by name, per control plane pod. */
  readonly metrics: () => Promise<readonly { readonly pod: string; readonly totals: ReadonlyMap<string, number> }[]>;
  /** What each control plane pod shows at its webhook port. */
  readonly serving: () => Promise<readonly UsedCertificate[]>;
  /** What proxies hold; of a big mesh a sample. */
  readonly workloads: () => Promise<readonly UsedCertificate[]>;
  /** Findings about the mesh configuration's own fields. */
  readonly meshConfig: (object: KubeObject) => Promise<readonly Finding[]>;
  /** A finding in words. */
  readonly words: (finding: Finding) => string;
  /** What an address shows in a TLS handshake; absent: no connection can be made. */
  readonly shownAt?: (place: TlsPlace) => Promise<ShownCertificate>;
}

/** A handshake to begin: where, and the names that are asked for. */
export interface TlsPlace {
  readonly host: string;
  readonly port: number;
  readonly serverName: string;
  /** ALPN. */
  readonly protocols: readonly string[];
}

/** The certificate of the other side, PEM; or why it showed none. */
export interface ShownCertificate {
  readonly certificate?: string;
  readonly problem?: string;
}

/** Another cluster of the mesh. */
export interface OtherCluster {
  /** Of the context that it was opened by. */
  readonly name: string;
  /** As the mesh calls it, where something says so. */
  readonly clusterId?: string;
  readonly facts: Facts;
}

/** What checks look at besides the cluster. */
export interface CheckContext {
  /** Namespace of the control plane. */
  readonly istioNamespace: string;
  /** What install would create; without it permissions are asked for the kinds that every profile has. */
  readonly rendered?: readonly KubeObject[];
  /** Version of this program; absent: versions are not compared. */
  readonly version?: string;
  /** Version to upgrade from, when the one in the cluster is not meant. */
  readonly fromVersion?: string;
  readonly now?: Date;
  readonly probes?: Probes;
  /** The mesh's name for the cluster. */
  readonly clusterId?: string;
  readonly others?: readonly OtherCluster[];
  /** Milliseconds that one question may take; default 10 s. */
  readonly requestTimeoutMs?: number;
}

/** The cluster as checks see it: every question is asked once, at most PARALLEL at a time, each with a time limit of its own. */
export interface Facts {
  readonly context: CheckContext & { readonly now: Date };
  readonly server: string;
  list<K extends ShapeName>(kind: K): Promise<readonly Shapes[K][]>;
  /** Objects of the control plane's namespace. */
  own<K extends ShapeName>(kind: K): Promise<readonly Shapes[K][]>;
  get<K extends ShapeName>(kind: K, namespace: string, name: string): Promise<Shapes[K] | undefined>;
  serves(apiVersion: string, kind: string): Promise<boolean>;
  version(): ReturnType<ClusterReader["version"]>;
  /** The clock of the API server; undefined when it does not tell. */
  serverTime(): Promise<Date | undefined>;
  canI(access: Parameters<ClusterReader["canI"]>[0]): Promise<boolean>;
  mayAccount: ClusterReader["mayAccount"];
  /** The answer of a probe; undefined when nobody can give one. */
  probe<K extends "proxies" | "findings" | "metrics" | "serving" | "workloads">(
    name: K,
  ): Promise<Awaited<ReturnType<Probes[K]>> | undefined>;
}

/** Questions at a time: enough to hide latency, few enough for the API server's fairness. */
const PARALLEL = 6;
const REQUEST_TIMEOUT_MS = 10_000;
const PROBE_FACTOR = 5;

/** Facts about one cluster, for one run of checks. */
export function createFacts(cluster: ClusterReader, context: CheckContext): Facts {
  const limit = createLimit(PARALLEL);
  const answers = new Map<string, Promise<unknown>>();
  const timeoutMs = context.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  const once = <T>(key: string, question: (signal: AbortSignal) => Promise<T>, factor = 1): Promise<T> => {
    const known = answers.get(key);
    if (known !== undefined) return known as Promise<T>;
    const answer = limit(() => within(question, timeoutMs * factor, key));
    // a rejection is told to those who ask, also when they ask late
    answer.catch(() => undefined);
    answers.set(key, answer);
    return answer;
  };
  const list = <K extends ShapeName>(kind: K, options: ListOptions): Promise<readonly Shapes[K][]> =>
    once(`list of ${kind} ${options.namespace ?? ""}`.trimEnd(), async (signal) => {
      const found = await cluster.list(refOf(kind), { ...options, signal });
      return found as readonly Shapes[K][];
    });
  return {
    context: { ...context, now: context.now ?? new Date() },
    server: cluster.context.server,
    list: (kind) => list(kind, {}),
    own: (kind) => list(kind, { namespace: context.istioNamespace }),
    get: (kind, namespace, name) =>
      once(`${kind} ${namespace}/${name}`, async () => {
        const place = namespace === "" ? {} : { namespace };
        return (await cluster.get({ ...refOf(kind), ...place, name })) as Shapes[typeof kind] | undefined;
      }),
    serves: (apiVersion, kind) => once(`${apiVersion} ${kind}`, () => cluster.serves({ apiVersion, kind })),
    version: () => once("version", () => cluster.version()),
    serverTime: () => once("time", () => cluster.serverTime?.() ?? Promise.resolve(undefined)),
    canI: (access) => once(`access ${JSON.stringify(access)}`, () => cluster.canI(access)),
    mayAccount: (account, access) =>
      once(`access ${JSON.stringify([account, access])}`, () => cluster.mayAccount(account, access)),
    probe: (name) => {
      const { probes } = context;
      if (probes === undefined) return Promise.resolve(undefined);
      // several questions each: they limit themselves, this is the last resort
      return once(`probe ${name}`, () => probes[name]() as Promise<unknown>, PROBE_FACTOR) as never;
    },
  };
}

function refOf(kind: ShapeName): { readonly apiVersion: string; readonly kind: string } {
  return { apiVersion: API_OF[kind].apiVersion, kind: API_OF[kind].kind ?? kind };
}

/** Runs at most `size` at a time, in the order of asking. */
function createLimit(size: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = size;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => void waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

async function within<T>(question: (signal: AbortSignal) => Promise<T>, timeoutMs: number, what: string): Promise<T> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      abort.abort();
      reject(new ClusterError("timeout", `no answer within ${timeoutMs / 1000} s: ${what}`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([question(abort.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
