import type { CertificateFacts, Evidence, Facts, Guess, Hypothesis, ProxyFacts } from "../types.ts";
import { below, envoy, logged, madeBy, object, refNamed, some } from "../words.ts";

/** A certificate is not taken: too old, of another root, or with another name than the one that is asked for. */
export const certificates: Hypothesis = {
  name: "certificates",
  codes: ["certificate-expired", "other-root", "certificate-not-trusted", "certificate-names-another"],
  guess(facts) {
    const failure = `${facts.symptom.transportFailure ?? ""} ${facts.symptom.details ?? ""}`;
    if (!/CERTIFICATE_VERIFY_FAILED|CERTIFICATE_EXPIRED|UNKNOWN_CA|CERTIFICATE_UNKNOWN/i.test(failure)) return [];
    if (/SAN.matcher|SAN list|san/.test(failure)) return named(facts, failure);
    return [...expired(facts, failure), ...foreign(facts, failure)];
  },
};

/** Both ends, the server's first. */
function ends({ server, proxy }: Facts): readonly ProxyFacts[] {
  return server?.proxy === undefined ? [proxy] : [server.proxy, proxy];
}

function expired(facts: Facts, failure: string): readonly Guess[] {
  if (!/expired|not.yet.valid/i.test(failure)) return [];
  const old = ends(facts).flatMap((proxy) => {
    const certificate = proxy.certificates.find(
      ({ notAfter, notBefore }) => notAfter < facts.now || notBefore > facts.now,
    );
    return certificate === undefined ? [] : [{ proxy, certificate }];
  });
  return old.map(({ proxy, certificate }) => ({
    code: "certificate-expired",
    object: proxy.pod,
    says: `its certificate for ${certificate.identity} was valid until ${certificate.notAfter.toISOString()}`,
    evidence: [
      logged(facts),
      envoy(
        proxy,
        `shows a certificate of ${certificate.notBefore.toISOString()} to ${certificate.notAfter.toISOString()}`,
      ),
    ],
    fix: `Look why its agent got no new one: kubectl logs -n ${proxy.pod.namespace} ${proxy.pod.name} -c istio-proxy; a restart of the pod asks anew.`,
    weight: 95,
  }));
}

function foreign(facts: Facts, failure: string): readonly Guess[] {
  if (!/issuer|self.signed|unknown.ca|unable/i.test(failure)) return [];
  const { proxy, server, cluster } = facts;
  const rule = madeBy(cluster?.message, facts);
  const isRule = rule?.object.startsWith("DestinationRule ") === true && isOwnTls(facts);
  if (isRule && rule !== undefined) return [untrusted(facts, refNamed(rule.object), below(rule, "tls.caCertificates"))];
  const other = server?.proxy;
  const shown: CertificateFacts | undefined = other?.certificates[0];
  if (other === undefined || shown === undefined || proxy.trusts(shown) !== false) return [];
  // whichever of the two the rest of the mesh would not trust either is the stranger
  const own = proxy.certificates[0];
  const strange = own !== undefined && proxy.trusts(own) === false ? proxy : other;
  return [
    {
      code: "other-root",
      object: strange.pod,
      says: `the certificate of ${strange.name} is signed by a root that its peers do not trust`,
      evidence: [
        logged(facts),
        envoy(other, `shows a certificate for ${shown.identity} of ${shown.notBefore.toISOString()}`),
        envoy(proxy, "none of its roots signed that"),
      ],
      fix: "Give both control planes one root, or spread the new root before certificates of it (meshctl ca status).",
      weight: 94,
    },
  ];
}

/** TLS by a rule, to a server that is no proxy of the mesh. */
function isOwnTls({ cluster, model }: Facts): boolean {
  return tlsOf(cluster?.message, model) !== undefined;
}

function tlsOf(message: unknown, model: Facts["model"]): Readonly<Record<string, unknown>> | undefined {
  const source = madeBy(message as Parameters<typeof madeBy>[0], { positionOf: () => undefined });
  if (source === undefined) return undefined;
  const { namespace, name, kind } = refNamed(source.object);
  if (kind !== "DestinationRule") return undefined;
  const tls = model.world.get("DestinationRule", namespace, name)?.spec?.trafficPolicy?.tls;
  return tls !== undefined && tls.mode !== "ISTIO_MUTUAL" ? (tls as Readonly<Record<string, unknown>>) : undefined;
}

function untrusted(facts: Facts, object_: Guess["object"], field: string): Guess {
  const tls = tlsOf(facts.cluster?.message, facts.model) ?? {};
  const evidence: readonly Evidence[] = [logged(facts), object(object_, `tls is ${JSON.stringify(tls)}`)];
  return {
    code: "certificate-not-trusted",
    object: object_,
    field,
    says: "the server's certificate is not signed by what the rule trusts",
    evidence,
    fix: "Name the roots of the server's certificate in caCertificates or credentialName.",
    weight: 90,
  };
}

function named(facts: Facts, failure: string): readonly Guess[] {
  const source = madeBy(facts.cluster?.message, facts);
  if (source?.object.startsWith("DestinationRule ") !== true) return [];
  const shown = /SANs_are_\[([^\]]*)\]|SANs are \[([^\]]*)\]/.exec(failure);
  const names = (shown?.[1] ?? shown?.[2] ?? "").split(/[,_ ]+/).filter(Boolean);
  const rule = refNamed(source.object);
  const tls = facts.model.world.get("DestinationRule", rule.namespace, rule.name)?.spec?.trafficPolicy?.tls;
  return [
    {
      code: "certificate-names-another",
      object: rule,
      field: below(source, "tls.subjectAltNames"),
      says: `it wants a certificate for ${some(tls?.subjectAltNames ?? [])}, and the server's is for ${names.length === 0 ? "others" : some(names)}`,
      evidence: [logged(facts), object(rule, `subjectAltNames is ${JSON.stringify(tls?.subjectAltNames ?? [])}`)],
      fix: "Name what the server's certificate has, or take subjectAltNames out.",
      weight: 95,
    },
  ];
}
