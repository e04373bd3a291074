import type { ApiGateway, Listener } from "../../model/gateway-api-types.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { certificateReader, covers } from "../traffic/gateway-certificates.ts";

const DAY_MS = 86_400_000;
const SOON_MS = 30 * DAY_MS;

/** What stands in the certificates of listeners: their names and their end. Whether they are there is gateway-api-gateway's. */
export const gatewayApiCertificate = defineAnalyzer({
  name: "gateway-api-certificate",
  summary: "Checks that certificates of Gateway API listeners have the names of their hosts, and do not end soon.",
  reads: ["ConfigMap", "GatewayClass", "KubernetesGateway", "ReferenceGrant", "Secret"],
  codes: ["MSH0107", "MSH0108", "MSH0715"],
  analyze: (input) => {
    const read = certificateReader();
    for (const gateway of input.world.list("KubernetesGateway")) {
      const served = input.model.gatewayApi.classes.of(gateway);
      if (!served.known || !served.ours) continue;
      const { namespace = "", name } = gateway.metadata;
      for (const listener of input.model.gatewayApi.listeners.of(namespace, name))
        checkListener(input, { gateway, listener, read });
    }
  },
});

type Input = AnalyzerInput<
  "ConfigMap" | "GatewayClass" | "KubernetesGateway" | "ReferenceGrant" | "Secret",
  "MSH0107" | "MSH0108" | "MSH0715"
>;

interface Place {
  readonly gateway: ApiGateway;
  readonly listener: Listener;
  readonly read: ReturnType<typeof certificateReader>;
}

function checkListener({ world, report, now }: Input, { gateway, listener, read }: Place): void {
  const { certificates, hostname, index } = listener;
  const found = certificates.flatMap(({ namespace, name }, at) => {
    const facts = read(world.get("Secret", namespace, name));
    return facts === undefined ? [] : [{ facts, secret: `${namespace}/${name}`, at }];
  });
  for (const { facts, secret, at } of found) {
    const path = ["spec", "listeners", index, "tls", "certificateRefs", at];
    const left = facts.notAfter.getTime() - now.getTime();
    const until = facts.notAfter.toISOString().slice(0, 10);
    if (left <= 0) report(gateway, path, "MSH0715", { secret, problem: `its certificate ended ${until}` });
    else if (left <= SOON_MS) report(gateway, path, "MSH0108", { secret, until, days: Math.floor(left / DAY_MS) });
  }
  const [first] = found;
  if (first === undefined || found.length < certificates.length || hostname === "*") return;
  const names = [...new Set(found.flatMap(({ facts }) => facts.dnsNames))];
  if (names.some((name) => covers(name, hostname))) return;
  const args = { host: hostname, secret: first.secret, names: names.length === 0 ? "no DNS name" : names.join(", ") };
  report(gateway, ["spec", "listeners", index, "hostname"], "MSH0107", args);
}
