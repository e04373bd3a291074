import { gatewayOverlap } from "../../model/gateway-overlap.ts";
import type { Gateway } from "../../model/gateways.ts";
import { defineAnalyzer } from "../analyzer.ts";
import { listText, nameOf } from "./shared-names.ts";

/**
 * A client that holds an HTTP/2 connection uses it for every host that the certificate covers. When two Gateways on the same
 * pods and port present one certificate, requests for a host of the second arrive on a connection of the first: 404. See
 * https://istio.io/latest/docs/ops/common-problems/network-issues/#404-errors-occur-when-multiple-gateways-configured-with-same-tls-certificate
 */
export const gatewayCertificateShared = defineAnalyzer({
  name: "gateway-certificate-shared",
  summary: "Finds Gateways that present the same certificate on the same port of the same pods.",
  reads: ["Gateway", "Pod"],
  codes: ["IST0138"],
  analyze: ({ world, model, report }) => {
    const sharePods = gatewayOverlap(model.workloads);
    const byCertificate = new Map<string, Presented[]>();
    for (const object of world.list("Gateway"))
      for (const presented of certificatesOf(object)) {
        const listed = byCertificate.get(presented.key);
        if (listed === undefined) byCertificate.set(presented.key, [presented]);
        else if (listed.every((other) => other.object !== object)) listed.push(presented);
      }
    for (const presenting of byCertificate.values())
      for (const { object, path } of presenting.length > 1 ? presenting : []) {
        const others = presenting.filter((other) => other.object !== object && sharePods(object, other.object));
        const [other] = others;
        if (other === undefined) continue;
        const gateways = listText([nameOf(object), ...others.map((each) => nameOf(each.object))].toSorted());
        const related = { object: other.object, path: other.path, words: "the same certificate" };
        report(object, path, "IST0138", { gateways }, related);
      }
  },
});

interface Presented {
  readonly object: Gateway;
  readonly path: readonly (string | number)[];
  /** Equal for the same certificate on the same port. */
  readonly key: string;
}

function certificatesOf(object: Gateway): readonly Presented[] {
  return (object.spec?.servers ?? []).flatMap(({ port, bind = "", tls }, index): Presented[] => {
    if (tls === undefined || tls.mode === "PASSTHROUGH" || tls.mode === "AUTO_PASSTHROUGH") return [];
    const path = ["spec", "servers", index, "tls"];
    const at = `${port.number} ${bind}`;
    const secrets = [tls.credentialName ?? "", ...(tls.credentialNames ?? [])].filter((name) => name !== "");
    if (secrets.length > 0) return secrets.map((name) => ({ object, path, key: `${at} secret ${name}` }));
    const { serverCertificate = "", privateKey = "" } = tls;
    if (serverCertificate === "" || privateKey === "") return [];
    return [{ object, path, key: `${at} file ${serverCertificate} ${privateKey}` }];
  });
}
