import { X509Certificate } from "node:crypto";
import { category, skipped, verdict } from "../check.ts";
import { pemBlocks, readPem } from "../pem.ts";
import { caSecret, currentRoots } from "../roots.ts";

const HOUR_MS = 3600_000;
/** The control plane renews its own certificate long before; a workload's agent at half its time. */
const SERVING_HOURS = 24;
const WORKLOAD_HOURS = 1;
const UNTOLD = "nobody can ask pods here";

/** Certificates that processes of the mesh use at this moment. */
export const usedCertificateChecks = category("certificates", [
  {
    name: "serving-names",
    affirmation: "the control plane's certificate is for the name that it is called by",
    hint: "restart the control plane: it issues its own certificate",
    about: "The API server and proxies refuse a certificate for another name.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-ready"],
    run: async (facts) => {
      const used = await facts.probe("serving");
      if (used === undefined) return skipped(UNTOLD);
      const name = `istiod.${facts.context.istioNamespace}.svc`;
      return verdict(
        used.filter(({ dnsNames }) => !dnsNames.includes(name)).map(({ pod }) => `Pod ${pod} is not ${name}`),
      );
    },
  },
  {
    name: "serving-expiry",
    affirmation: `the control plane's certificate is valid for ${SERVING_HOURS} more hours`,
    hint: "restart the control plane: it issues its own certificate",
    about: "Once it has ended neither webhooks nor proxies reach the control plane.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-ready"],
    run: async (facts) => {
      const used = await facts.probe("serving");
      if (used === undefined) return skipped(UNTOLD);
      const end = facts.context.now.getTime() + SERVING_HOURS * HOUR_MS;
      return verdict(
        used
          .filter(({ notAfter }) => notAfter.getTime() < end)
          .map(({ pod, notAfter }) => `Pod ${pod}: until ${notAfter.toISOString()}`),
      );
    },
  },
  {
    name: "serving-issuer",
    affirmation: "the control plane's certificate is of the mesh's root",
    hint: "restart the control plane: it reads the root when it starts",
    about: "When the root was replaced under a running control plane, those who trust the new root refuse it.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-ready", "root-certificate"],
    run: async (facts) => {
      const used = await facts.probe("serving");
      if (used === undefined) return skipped(UNTOLD);
      const own = pemBlocks((await caSecret(facts))?.certificate ?? "");
      const roots = [...own, ...(await currentRoots(facts))].map((pem) => new X509Certificate(pem));
      const strangers = used.filter(({ pem }) => {
        if (pem === undefined) return false;
        const certificate = new X509Certificate(pem);
        return !roots.some((root) => certificate.verify(root.publicKey));
      });
      return verdict(strangers.map(({ pod }) => `Pod ${pod}`));
    },
  },
  {
    name: "workload-certificates",
    affirmation: `certificates of proxies are valid for ${WORKLOAD_HOURS} more hour`,
    hint: "look at the log of the proxy: it could not renew; kubectl logs POD -c istio-proxy",
    about:
      "An agent renews its certificate at half its time. One that is nearly over shows that the CA cannot be reached.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) => {
      const used = await facts.probe("workloads");
      if (used === undefined) return skipped(UNTOLD);
      const end = facts.context.now.getTime() + WORKLOAD_HOURS * HOUR_MS;
      return verdict(
        used
          .filter(({ notAfter }) => notAfter.getTime() < end)
          .map(({ pod, notAfter }) => `Pod ${pod}: until ${notAfter.toISOString()}`),
        `${used.length} asked`,
      );
    },
  },
  {
    name: "workload-roots",
    affirmation: "proxies trust the mesh's root",
    hint: "restart the workload: kubectl rollout restart deployment NAME -n NAMESPACE",
    about: "A proxy with an old root refuses its peers, and they refuse it.",
    severity: "error",
    phase: "after",
    needs: ["root-certificate"],
    run: async (facts) => {
      const used = await facts.probe("workloads");
      if (used === undefined) return skipped(UNTOLD);
      const serials = (readPem((await caSecret(facts))?.roots) ?? []).map(({ serial }) => trimmed(serial));
      const strangers = used.filter(
        ({ roots }) => roots !== undefined && !roots.some((root) => serials.includes(trimmed(root))),
      );
      return verdict(strangers.map(({ pod }) => `Pod ${pod}`));
    },
  },
  {
    name: "workload-identities",
    affirmation: "proxies have an identity of the mesh's form",
    hint: "restart the workload; look at meshConfig.trustDomain",
    about: "Peers and policies know a workload by spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) => {
      const used = await facts.probe("workloads");
      if (used === undefined) return skipped(UNTOLD);
      return verdict(
        used
          .filter(({ pod, uris }) => !uris.some((uri) => uri.includes(`/ns/${pod.split("/")[0] ?? ""}/sa/`)))
          .map(({ pod, uris }) => `Pod ${pod}: ${uris.join(", ") || "none"}`),
      );
    },
  },
]);

/** A serial number without what printers put around it. */
function trimmed(serial: string): string {
  return serial.toLowerCase().replaceAll(":", "").replace(/^0+/, "");
}
