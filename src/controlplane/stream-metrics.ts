import { VERSION } from "../gen/version.ts";
import type { XdsKind } from "../xds/types.ts";
import { type MakeCounter, type MakeGauge, type MakeHistogram, SECONDS } from "./metric-makers.ts";
import type { StreamEvent } from "./xds-deps.ts";

/** Names of the types as dashboards know them. */
const SHORT: Readonly<Record<XdsKind, string>> = {
  cluster: "cds",
  endpoint: "eds",
  listener: "lds",
  route: "rds",
  extension: "ecds",
  secret: "sds",
  nametable: "nds",
};

const BYTES = [1, 10_000, 1e6, 4e6, 1e7, 4e7];
/** The types whose refusals Istio counts by proxy. */
const BY_PROXY: readonly XdsKind[] = ["cluster", "endpoint", "listener", "route"];

/** What is measured of the streams of proxies. */
export function streamMetrics(
  counter: MakeCounter,
  gauge: MakeGauge,
  histogram: MakeHistogram,
): { readonly stream: (event: StreamEvent) => void } {
  const clients = gauge("pilot_xds", "Connected proxies.", ["version"]);
  const turnedAway = counter("pilot_xds_turned_away_total", "Streams that were refused.");
  const convergence = histogram("pilot_proxy_convergence_time", "From response to ACK.", SECONDS);
  const expired = counter("pilot_xds_expired_nonce", "Answers to a response that a newer one has replaced.", ["type"]);
  const sending = histogram(
    "pilot_xds_send_time",
    "From handing a response over until the transport took it.",
    SECONDS,
  );
  const refused = refusals(counter, gauge);
  const pushed = pushes(counter, histogram);
  return {
    stream(event) {
      switch (event.type) {
        case "opened":
          clients.inc({ version: VERSION });
          break;
        case "closed":
          clients.dec({ version: VERSION });
          refused.forget(event.proxy);
          break;
        case "turned-away":
          turnedAway.inc();
          break;
        case "refused":
          refused.add(event.kind, event.proxy);
          break;
        case "acked":
          convergence.observe(event.sinceMs / 1000);
          break;
        case "expired":
          expired.inc({ type: SHORT[event.kind] });
          break;
        case "taken":
          sending.observe(event.tookMs / 1000);
          break;
        case "pushed":
          pushed(event);
      }
    },
  };
}

function pushes(
  counter: MakeCounter,
  histogram: MakeHistogram,
): (event: Extract<StreamEvent, { type: "pushed" }>) => void {
  const count = counter("pilot_xds_pushes", "Responses sent.", ["type"]);
  const sizes = histogram("pilot_xds_config_size_bytes", "Size of responses.", BYTES, ["type"]);
  const making = histogram("pilot_xds_push_time", "Making one response: planning, splicing, handing over.", SECONDS, [
    "type",
  ]);
  const queued = histogram(
    "pilot_proxy_queue_time",
    "From something being due for a proxy until its response is made: waits for its turn, the transport, confirmations.",
    SECONDS,
  );
  return ({ kind, bytes, tookMs, queuedMs }) => {
    const type = SHORT[kind];
    count.inc({ type });
    sizes.observe({ type }, bytes);
    making.observe({ type }, tookMs / 1000);
    queued.observe(queuedMs / 1000);
  };
}

function refusals(
  counter: MakeCounter,
  gauge: MakeGauge,
): { readonly add: (kind: XdsKind, proxy: string) => void; readonly forget: (proxy: string) => void } {
  const all = counter("pilot_total_xds_rejects", "Responses that proxies refused.", ["type"]);
  // from the start, so that the first one is seen as an increase
  for (const type of Object.values(SHORT)) all.inc({ type }, 0);
  const each = new Map(
    BY_PROXY.map((kind) => [
      kind,
      gauge(`pilot_xds_${SHORT[kind]}_reject`, "Responses refused, by connected proxy.", ["node"]),
    ]),
  );
  return {
    add(kind, node) {
      all.inc({ type: SHORT[kind] });
      each.get(kind)?.inc({ node });
    },
    forget(node) {
      for (const one of each.values()) one.remove({ node });
    },
  };
}
