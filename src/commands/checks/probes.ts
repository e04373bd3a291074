import { connect, type PeerCertificate } from "node:tls";
import { ClusterError } from "../../base/errors.ts";
import type { Probes, ShownCertificate, TlsPlace, UsedCertificate } from "../../checks/facts.ts";
import { messageOf } from "../../diagnostics/codes.ts";
import type { Cluster } from "../../resources/cluster.ts";
import type { Io } from "../io.ts";
import { controlPlanePods, getJson, getText } from "../pod-http.ts";

const MONITORING_PORT = 15_014;
const WEBHOOK_PORT = 15_017;
const ADMIN_PORT = 15_000;
/** Proxies that are asked for their certificates: enough to see a fault of the mesh, few enough for a big one. */
const SAMPLE = 20;
const PARALLEL = 4;
const TLS_TIMEOUT_MS = 10_000;
/** An address that may well not be reached from here. */
const SHOWN_TIMEOUT_MS = 3_000;

/** Answers of pods and of this program's own analysis, for checks. Nothing is asked before a check wants it. */
export function createProbes(cluster: Cluster, istioNamespace: string, io: Io): Probes {
  const quiet: Io = {
    ...io,
    isTTY: false,
    out: () => undefined,
    err: () => undefined,
    cluster: () => Promise.resolve(cluster),
  };
  return {
    proxies: async () => {
      const { proxyStatus } = await import("../proxy-status.ts");
      const options = { istioNamespace, output: "json" as const, wait: false, timeoutMs: 10_000 };
      const { proxies } = await proxyStatus(options, quiet);
      return proxies.map(({ name, namespace, version, status, types }) => ({
        name,
        namespace,
        version,
        status,
        refusals: Object.values(types).flatMap(({ lastError }) => (lastError === undefined ? [] : [lastError])),
      }));
    },
    findings: async () => {
      const { analyze } = await import("../analyze.ts");
      const { findings } = await analyze(
        {
          sources: [],
          cluster: "wanted",
          namespace: "default",
          allNamespaces: true,
          rootNamespace: istioNamespace,
          failureThreshold: "Error",
        },
        quiet,
      );
      return findings;
    },
    metrics: async () => {
      const pods = await controlPlanePods(cluster, istioNamespace);
      return inTurn(pods, async ({ metadata: { name } }) => {
        const target = { namespace: istioNamespace, pod: name, port: MONITORING_PORT };
        return { pod: name, totals: totalsOf(await getText(cluster, target, "/metrics")) };
      });
    },
    serving: async () => {
      const pods = await controlPlanePods(cluster, istioNamespace);
      return inTurn(pods, ({ metadata: { name } }) =>
        shownBy(cluster, { namespace: istioNamespace, pod: name, port: WEBHOOK_PORT }),
      );
    },
    workloads: () => workloadCertificates(cluster),
    meshConfig: async (object) => (await import("../../validation/index.ts")).validateObject(object),
    words: messageOf,
    // what a record answers without a connection has none to make
    ...(cluster.podHttp === undefined ? { shownAt } : {}),
  };
}

/** The certificate that an address shows to a client without one. Nothing is trusted and nothing sent. */
function shownAt({ host, port, serverName: servername, protocols }: TlsPlace): Promise<ShownCertificate> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, servername, ALPNProtocols: [...protocols], rejectUnauthorized: false });
    let seen: ShownCertificate = {};
    const look = (): void => {
      // null once there is no connection
      const raw = (socket.getPeerCertificate() as Partial<PeerCertificate> | null)?.raw;
      if (raw !== undefined) seen = { certificate: pemOf(raw) };
    };
    // who asks for a client's certificate ends the handshake without one: what was shown before that counts
    socket.on("secureConnect", () => {
      look();
      socket.destroy();
    });
    socket.setTimeout(SHOWN_TIMEOUT_MS, () => socket.destroy(new Error("no answer")));
    socket.on("error", (error: Error) => {
      look();
      if (seen.certificate === undefined) seen = { problem: error.message };
    });
    socket.on("close", () => resolve(seen.certificate === undefined && seen.problem === undefined ? CLOSED : seen));
  });
}

const CLOSED: ShownCertificate = { problem: "the connection was closed" };

function pemOf(raw: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${raw.toString("base64")}\n-----END CERTIFICATE-----\n`;
}

/** Sums of a Prometheus text over all labels, by name. */
export function totalsOf(text: string): ReadonlyMap<string, number> {
  const totals = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, value] = /^([A-Za-z_:][\w:]*)(?:\{.*\})? (\S+)/.exec(line) ?? [];
    if (name !== undefined) totals.set(name, (totals.get(name) ?? 0) + Number(value));
  }
  return totals;
}

interface EnvoyCertificates {
  readonly certificates?: readonly {
    readonly ca_cert?: readonly { readonly serial_number?: string }[];
    readonly cert_chain?: readonly {
      readonly expiration_time: string;
      readonly subject_alt_names?: readonly { readonly uri?: string; readonly dns?: string }[];
    }[];
  }[];
}

/** What Envoys of running pods hold, by their own word; of a pod that does not answer nothing is known here. */
async function workloadCertificates(cluster: Cluster): Promise<readonly UsedCertificate[]> {
  const pods = await cluster.list({ apiVersion: "v1", kind: "Pod" }, { fieldSelector: "status.phase=Running" });
  const injected = pods.filter(
    ({ metadata }) =>
      metadata.annotations?.["sidecar.istio.io/status"] !== undefined && metadata.deletionTimestamp === undefined,
  );
  const answers = await inTurn(injected.slice(0, SAMPLE), async ({ metadata: { namespace = "", name } }) => {
    const answer = await getJson(cluster, { namespace, pod: name, port: ADMIN_PORT }, "/certs").catch(
      (error: unknown) => {
        if (error instanceof ClusterError) return {};
        throw error;
      },
    );
    return certificatesOf(`${namespace}/${name}`, answer as EnvoyCertificates);
  });
  return answers.flat();
}

function certificatesOf(pod: string, { certificates = [] }: EnvoyCertificates): readonly UsedCertificate[] {
  const roots = certificates
    .flatMap(({ ca_cert = [] }) => ca_cert.map(({ serial_number }) => serial_number))
    .filter((serial) => serial !== undefined);
  return certificates
    .flatMap(({ cert_chain = [] }) => cert_chain.slice(0, 1))
    .map(({ expiration_time, subject_alt_names = [] }) => ({
      pod,
      notAfter: new Date(expiration_time),
      dnsNames: subject_alt_names.flatMap(({ dns }) => dns ?? []),
      uris: subject_alt_names.flatMap(({ uri }) => uri ?? []),
      ...(roots.length === 0 ? {} : { roots }),
    }))
    .filter(({ uris }) => uris.some((uri) => uri.startsWith("spiffe://")));
}

/** The certificate that a port shows. Nothing is trusted and nothing sent. */
async function shownBy(
  cluster: Cluster,
  target: { readonly namespace: string; readonly pod: string; readonly port: number },
): Promise<UsedCertificate> {
  const stream = await cluster.portForward(target);
  const pod = `${target.namespace}/${target.pod}`;
  const servername = `istiod.${target.namespace}.svc`;
  try {
    const certificate = await new Promise<PeerCertificate>((resolve, reject) => {
      const socket = connect({ socket: stream, servername, rejectUnauthorized: false }, () =>
        resolve(socket.getPeerCertificate()),
      );
      socket.setTimeout(TLS_TIMEOUT_MS, () => socket.destroy(new Error("no answer")));
      socket.on("error", reject);
      socket.on("close", () => reject(new Error("the connection was closed")));
    });
    const names = (certificate.subjectaltname ?? "").split(", ");
    const ofType = (type: string): string[] =>
      names.filter((name) => name.startsWith(type)).map((name) => name.slice(type.length));
    return {
      pod,
      notAfter: new Date(certificate.valid_to),
      dnsNames: ofType("DNS:"),
      uris: ofType("URI:"),
      pem: pemOf(certificate.raw),
    };
  } catch (cause) {
    throw new ClusterError("pod-tls", `pod ${pod} port ${target.port} shows no certificate: ${String(cause)}`, {
      cause,
    });
  } finally {
    stream.destroy();
  }
}

async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const left = [...items.entries()];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return results;
}
