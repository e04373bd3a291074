import { readFile } from "node:fs/promises";
import { delay } from "../../base/delay.ts";
import { errorText } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import type { CaCredential } from "../../grpc/ca-client.ts";
import type { AgentConfig } from "../config.ts";
import type { AgentMetrics } from "../metrics.ts";
import type { Runner } from "../runner.ts";
import { answerQuery } from "./answer.ts";
import { createLookup, type Lookup, type NameTable } from "./names.ts";
import { followNames } from "./names-stream.ts";
import { readResolvConf, type ResolvConf } from "./resolv-conf.ts";
import { type Answerer, createDnsServer } from "./server.ts";
import type { DnsSettings } from "./settings.ts";
import { createUpstream } from "./upstream.ts";

export interface DnsDeps {
  readonly config: AgentConfig;
  readonly settings: DnsSettings;
  /** The certificate that Envoy is served, once there is one. */
  readonly certificate: () => CaCredential | undefined;
  readonly metrics: AgentMetrics;
  readonly onTable: (table: NameTable) => void;
  readonly log: Logger;
}

/** Milliseconds that a query may wait for the first table: applications start beside the agent. */
const FIRST_TABLE = 2_000;
/** Milliseconds for upstream's answer, all servers together. */
const UPSTREAM = 5_000;
const DNS_PORT = 53;

/**
 * Consumes the name table of meshd and the host's resolvers; offers DNS to the application, whose queries the capture rules
 * send here.
 */
export function createDns({ config, settings, certificate, metrics, onTable, log }: DnsDeps): Runner {
  let lookup: Lookup | undefined;
  let arrived: () => void = () => undefined;
  const first = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const ended = new AbortController();
  const closers: (() => Promise<void> | void)[] = [];
  return {
    name: "dns",
    async start() {
      const host = await readHostResolver(settings.resolvConf, log);
      const servers = host.servers
        .map((address) => ({ address, port: DNS_PORT }))
        .filter(({ address }) => settings.port !== DNS_PORT || !settings.addresses.includes(address));
      const upstream = createUpstream({ servers, timeout: UPSTREAM, parallel: settings.parallel });
      const deps = {
        lookup: async () => {
          if (lookup === undefined) await Promise.race([first, delay(FIRST_TABLE, ended.signal)]);
          return lookup;
        },
        upstream: async (...query: Parameters<typeof upstream>) => {
          const started = performance.now();
          const answer = await upstream(...query);
          metrics.dnsUpstream(answer === undefined ? "failed" : "ok", performance.now() - started);
          return answer;
        },
        random: Math.random,
      };
      const answer: Answerer = (message, via) => {
        metrics.dnsRequest();
        return answerQuery(deps, message, via);
      };
      const server = createDnsServer(settings.addresses, settings.port, answer);
      closers.push(() => server.close());
      await server.start();
      const asker = { namespace: config.namespace, serviceDomain: serviceDomain(config), search: host.search };
      closers.push(
        followNames({
          config,
          certificate,
          onTable: (table) => {
            onTable(table);
            lookup = createLookup(table, asker);
            log.debug({ hosts: Object.keys(table.table ?? {}).length }, "names arrived");
            arrived();
          },
          log,
        }),
      );
      log.info({ addresses: settings.addresses, port: settings.port, upstream: host.servers }, "DNS is answered");
    },
    async close() {
      ended.abort();
      for (const close of closers.splice(0).toReversed()) await close();
    },
  };
}

/** `svc.cluster.local` of `shop.svc.cluster.local`, the last part of the node's id. */
function serviceDomain({ nodeId, namespace }: AgentConfig): string {
  const domain = nodeId.split("~")[3] ?? "";
  return domain.startsWith(`${namespace}.`) ? domain.slice(namespace.length + 1) : domain;
}

async function readHostResolver(paths: readonly string[], log: Logger): Promise<ResolvConf> {
  let reason = "";
  for (const path of paths) {
    try {
      return readResolvConf(await readFile(path, "utf8"));
    } catch (error) {
      reason = errorText(error);
    }
  }
  log.warn({}, `names outside the mesh are not answered: ${reason}`);
  return { servers: [], search: [] };
}
