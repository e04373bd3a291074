import type { Facts, Guess, Hypothesis, ProxyFacts } from "../types.ts";
import { type ClusterRule, envoy, failureText, kubernetes, logged, object, ruleOf, some } from "../words.ts";

/** A certificate is not taken: too old, of another root, or with another name than the one that is asked for. */
export const certificates: Hypothesis = {
  name: "certificates",
  codes: [
    "certificate-expired",
    "other-root",
    "certificate-not-trusted",
    "certificate-names-another",
    "client-secret-missing",
  ],
  guess(facts) {
    const failure = failureText(facts.symptom);
    if (/Secret.is.not.supplied/i.test(failure)) return unsupplied(facts);
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
  const rule = ruleOf(facts);
  const isOwnTls = rule?.policy.tls !== undefined && rule.policy.tls.mode !== "ISTIO_MUTUAL";
  return rule !== undefined && isOwnTls ? [untrusted(facts, rule)] : strangers(facts);
}

/** Two proxies of the mesh, one of which has a certificate of another root. */
function strangers(facts: Facts): readonly Guess[] {
  const { proxy, server } = facts;
  const other = server?.proxy;
  const [shown] = other?.certificates ?? [];
  if (other === undefined || shown === undefined || proxy.trusts(shown) !== false) return [];
  // one that does not trust its own certificate is the stranger
  const strange = proxy.certificates.some((own) => proxy.trusts(own) === false) ? proxy : other;
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
function untrusted(facts: Facts, { ref, policy, path }: ClusterRule): Guess {
  return {
    code: "certificate-not-trusted",
    object: ref,
    field: path("tls.caCertificates"),
    says: "the server's certificate is not signed by what the rule trusts",
    evidence: [logged(facts), object(ref, `tls is ${JSON.stringify(policy.tls)}`)],
    fix: "Name the roots of the server's certificate in caCertificates or credentialName.",
    weight: 90,
  };
}

function named(facts: Facts, failure: string): readonly Guess[] {
  const rule = ruleOf(facts);
  if (rule === undefined) return [];
  const names = shownNames(failure);
  const wanted = rule.policy.tls?.subjectAltNames ?? [];
  return [
    {
      code: "certificate-names-another",
      object: rule.ref,
      field: rule.path("tls.subjectAltNames"),
      says: `it wants a certificate for ${some(wanted)}, and the server's is for ${names.length === 0 ? "others" : some(names)}`,
      evidence: [logged(facts), object(rule.ref, `subjectAltNames is ${JSON.stringify(wanted)}`)],
      fix: "Name what the server's certificate has, or take subjectAltNames out.",
      weight: 95,
    },
  ];
}

/** Names of the server's certificate, as Envoy tells them when they do not fit. */
function shownNames(failure: string): readonly string[] {
  const shown = /SANs[ _]are[ _]\[([^\]]*)\]/.exec(failure);
  return (shown?.[1] ?? "").split(/[,_ ]+/).filter(Boolean);
}

/** A rule wants TLS with a certificate that the proxy waits for in vain. */
function unsupplied(facts: Facts): readonly Guess[] {
  const rule = ruleOf(facts);
  const name = rule?.policy.tls?.credentialName;
  if (rule === undefined || name === undefined) return [];
  const { model, proxy } = facts;
  const isThere = model.world.get("Secret", proxy.namespace, name) !== undefined;
  const secret = `Secret ${proxy.namespace}/${name}`;
  return [
    {
      code: "client-secret-missing",
      object: rule.ref,
      field: rule.path("tls.credentialName"),
      says: isThere
        ? `${secret} holds no certificate that can be used, so no connection is made`
        : `it names ${secret}, which is not there, so no connection is made`,
      evidence: [
        logged(facts),
        envoy(proxy, "it was sent no such certificate"),
        kubernetes(isThere ? `${secret} is there` : `there is no ${secret}`),
      ],
      fix: `Create it in the caller's namespace: kubectl create secret generic ${name} -n ${proxy.namespace} --from-file=tls.crt=… --from-file=tls.key=… --from-file=ca.crt=….`,
      weight: 93,
    },
  ];
}
