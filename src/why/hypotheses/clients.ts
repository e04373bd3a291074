import type { ObjectRef } from "../../ir/refs.ts";
import type { Facts, Hypothesis } from "../types.ts";
import { logged, placeOf } from "../words.ts";

/** The caller: it did not wait, or sent what no proxy takes. */
export const clients: Hypothesis = {
  name: "callers",
  codes: ["client-gone", "headers-too-large"],
  guess(facts) {
    const { symptom, proxy } = facts;
    const caller = callerOf(facts);
    if (/headers_too_large|too_many_headers/.test(symptom.details ?? ""))
      return [
        {
          code: "headers-too-large",
          object: caller,
          says: "it sent more headers than the proxy takes",
          evidence: [logged(facts)],
          fix: "Send smaller headers: cookies and tokens are what grows. The limit is 60 KiB and 100 headers.",
          weight: 95,
        },
      ];
    const gone = symptom.flags.includes("DC") && !symptom.flags.includes("DI");
    // what a proxy gave up on behalf of its timeout is that proxy's doing
    if (!gone || facts.cluster?.direction === "inbound") return [];
    return [
      {
        code: "client-gone",
        object: caller,
        says: `it closed the connection after ${symptom.duration ?? "some"} ms, before the answer came`,
        evidence: [
          logged(facts),
          ...(facts.behind === undefined
            ? []
            : [{ from: `access log of ${facts.behind.proxy.name}`, says: "the application had not answered by then" }]),
        ],
        fix: `Let it wait longer, or look why ${symptom.upstreamHost ?? proxy.name} is slow.`,
        weight: 78,
      },
    ];
  },
};

/** Who sent the request: the pod itself for its sidecar's outbound, else the pod of the address. */
function callerOf({ cluster, proxy, model, symptom }: Facts): ObjectRef {
  if (proxy.type === "sidecar" && cluster?.direction !== "inbound") return proxy.pod;
  const pod = model.pods.byIp(placeOf(symptom.remoteAddress)?.address ?? "");
  return pod === undefined ? proxy.pod : { kind: "Pod", ...pod };
}
