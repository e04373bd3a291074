import { createPrivateKey } from "node:crypto";
import { REDACTED } from "../../base/redacted.ts";
import { type Check, category, failed, ok, skipped, verdict } from "../check.ts";
import { nameOf } from "../names.ts";
import { decoded, pemBlocks, readPem } from "../pem.ts";
import { caSecret, currentRoots } from "../roots.ts";
import { usedCertificateChecks } from "./used.ts";

const DAY_MS = 24 * 3600_000;
/** Time to plan a new root: it has to reach every proxy before the old one ends. */
const ROOT_DAYS = 60;
const GATEWAY_DAYS = 14;
const MINIMUM_BITS = 2048;

const own = category("certificates", [
  {
    name: "root-certificate",
    affirmation: "the mesh has a root certificate with its key",
    hint: "look at the log of the control plane, which makes one; or put ca-cert.pem and ca-key.pem into Secret istio-ca-secret",
    about: "The control plane signs every identity with it.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) => {
      const secret = await caSecret(facts);
      if (secret === undefined) return failed("Secret istio-ca-secret is not there");
      if (readPem(secret.certificate) === undefined)
        return failed("ca-cert.pem of Secret istio-ca-secret is no certificate");
      return secret.key === "" ? failed("Secret istio-ca-secret has no ca-key.pem") : ok();
    },
  },
  {
    name: "root-key",
    affirmation: "the root's key belongs to it",
    hint: "put the pair back, or delete Secret istio-ca-secret and restart the control plane and all workloads",
    about: "The control plane does not start with a key that is of another certificate.",
    severity: "error",
    phase: "after",
    needs: ["root-certificate"],
    run: async (facts) => {
      const secret = await caSecret(facts);
      const [certificate] = readPem(secret?.certificate) ?? [];
      if (secret?.key === REDACTED) return skipped("the key was taken out of the bug report");
      return certificate !== undefined && isKeyOf(certificate.x509, secret?.key ?? "")
        ? ok()
        : failed("ca-key.pem is not the key of ca-cert.pem");
    },
  },
  {
    name: "root-valid",
    affirmation: "the root certificate is valid now",
    hint: "make a new root; until then no proxy trusts another",
    about: "A root that has ended, or has not begun, makes every certificate below it invalid.",
    severity: "error",
    phase: "after",
    needs: ["root-certificate"],
    run: async (facts) => {
      const { now } = facts.context;
      const [root] = readPem((await caSecret(facts))?.certificate) ?? [];
      if (root === undefined) return skipped("it cannot be read");
      if (root.notBefore > now) return failed(`it begins on ${root.notBefore.toISOString()}`);
      return root.notAfter > now
        ? ok(`until ${root.notAfter.toISOString().slice(0, 10)}`)
        : failed(`it ended on ${root.notAfter.toISOString()}`);
    },
  },
  {
    name: "root-expiry",
    affirmation: `the root certificate is valid for ${ROOT_DAYS} more days`,
    hint: "plan a new root: add it to what proxies trust, then sign with it, then drop the old one",
    about: "A new root has to reach every proxy before the old one ends.",
    severity: "warning",
    phase: "after",
    needs: ["root-valid"],
    run: async (facts) => {
      const [root] = readPem((await caSecret(facts))?.certificate) ?? [];
      const days = ((root?.notAfter.getTime() ?? 0) - facts.context.now.getTime()) / DAY_MS;
      return days > ROOT_DAYS ? ok() : failed(`it ends in ${Math.floor(days)} days`);
    },
  },
  {
    name: "root-strength",
    affirmation: `the root's key is EC, or RSA of ${MINIMUM_BITS} bits and more`,
    hint: "make a new root with a stronger key",
    about: "Smaller RSA keys are refused by Envoy's TLS library.",
    severity: "error",
    phase: "after",
    needs: ["root-certificate"],
    run: async (facts) => {
      const [root] = readPem((await caSecret(facts))?.certificate) ?? [];
      const bits = root?.rsaBits ?? MINIMUM_BITS;
      return bits >= MINIMUM_BITS ? ok() : failed(`it has ${bits} bits`);
    },
  },
  {
    name: "root-is-ca",
    affirmation: "the root may sign certificates",
    hint: "use a certificate with basic constraint CA:TRUE",
    about: "Peers refuse certificates that were signed by one that is no CA.",
    severity: "error",
    phase: "after",
    needs: ["root-certificate"],
    run: async (facts) => {
      const [root] = readPem((await caSecret(facts))?.certificate) ?? [];
      return root?.x509.ca === true ? ok() : failed("ca-cert.pem is no CA certificate");
    },
  },
  {
    name: "plugged-ca",
    affirmation: "a CA that was plugged in is the one that signs",
    hint: "look at the log of the control plane, which says what it cannot use; the former CA signs until then",
    about: "A CA in Secret cacerts comes before the mesh's own. One that cannot be used leaves the former one signing.",
    severity: "warning",
    run: async (facts) => {
      const { istioNamespace } = facts.context;
      const plugged = await facts.get("Secret", istioNamespace, "cacerts");
      if (plugged === undefined) return ok();
      const [root] = await currentRoots(facts);
      const map = (await rootMaps(facts)).find(({ metadata }) => metadata.namespace === istioNamespace);
      return root !== undefined && pemBlocks(map?.data?.["root-cert.pem"] ?? "").includes(root)
        ? ok()
        : failed("Secret cacerts holds a CA that is not used");
    },
  },
  {
    name: "root-configmaps",
    affirmation: "every namespace has the root certificate",
    hint: "look whether a control plane leads, and at its log: it writes ConfigMap istio-ca-root-cert",
    about: "Proxies mount ConfigMap istio-ca-root-cert to know the control plane; pods without it do not start.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-ready"],
    run: async (facts) => {
      const [namespaces, maps] = await Promise.all([facts.list("Namespace"), rootMaps(facts)]);
      const there = new Set(maps.map(({ metadata }) => metadata.namespace));
      return verdict(
        namespaces
          .filter(({ metadata }) => metadata.deletionTimestamp === undefined && !metadata.name.startsWith("kube-"))
          .filter(({ metadata }) => !there.has(metadata.name) && metadata.name !== "local-path-storage")
          .map(({ metadata }) => `namespace ${metadata.name}`),
      );
    },
  },
  {
    name: "root-configmaps-match",
    affirmation: "every namespace has the current root certificate",
    hint: "look whether a control plane leads, and at its log; restart the workloads of the namespace",
    about: "New proxies of a namespace with an old root do not trust the control plane.",
    severity: "error",
    phase: "after",
    needs: ["root-certificate"],
    run: async (facts) => {
      const roots = await currentRoots(facts);
      return verdict(
        (await rootMaps(facts))
          .filter(({ data }) => !roots.every((root) => pemBlocks(data?.["root-cert.pem"] ?? "").includes(root)))
          .map((map) => `ConfigMap ${nameOf(map)}`),
      );
    },
  },
  {
    name: "gateway-certificates",
    affirmation: `certificates of gateways are valid for ${GATEWAY_DAYS} more days`,
    hint: "renew the certificate in the Secret; the gateway takes it up by itself",
    about: "Browsers and clients refuse an expired certificate at once.",
    severity: "warning",
    phase: "after",
    run: async (facts) => {
      const { now } = facts.context;
      const wanted = (await facts.list("Gateway")).flatMap(({ metadata, spec }) =>
        (spec?.servers ?? []).flatMap(({ tls }) =>
          tls?.credentialName === undefined ? [] : [{ metadata, name: tls.credentialName }],
        ),
      );
      const problems = await Promise.all(
        wanted.map(async ({ metadata, name }) => {
          // a Secret stands with the gateway's pods: in the mesh's own namespace, or with the Gateway
          const [near, central] = await Promise.all([
            facts.get("Secret", metadata.namespace ?? "", name),
            facts.get("Secret", facts.context.istioNamespace, name),
          ]);
          const secret = central ?? near;
          const [certificate] = gatewayCertificate(secret?.data) ?? [];
          if (secret === undefined || certificate === undefined) return [];
          const days = (certificate.notAfter.getTime() - now.getTime()) / DAY_MS;
          return days > GATEWAY_DAYS ? [] : [`Secret ${nameOf(secret)} ends in ${Math.floor(days)} days`];
        }),
      );
      return verdict(problems.flat());
    },
  },
]);

async function rootMaps(facts: Parameters<Check["run"]>[0]) {
  return (await facts.list("ConfigMap")).filter(({ metadata }) => metadata.name === "istio-ca-root-cert");
}

/** What a server shows: of a TLS Secret, or of a generic one as Istio reads it. */
function gatewayCertificate(data: Readonly<Record<string, string>> = {}) {
  return readPem(decoded(data["tls.crt"] ?? data["cert"]));
}

function isKeyOf(
  certificate: { checkPrivateKey(key: ReturnType<typeof createPrivateKey>): boolean },
  pem: string,
): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(pem));
  } catch {
    return false;
  }
}

/** Whether identities can be issued and believed, now and for some time. */
export const certificateChecks: readonly Check[] = [...own, ...usedCertificateChecks];
