import { parseYaml } from "../../resources/yaml-plain.ts";
import { category, failed, ok, skipped, verdict } from "../check.ts";
import type { Facts } from "../facts.ts";
import { readPem } from "../pem.ts";
import { caSecret } from "../roots.ts";

type Mesh = Readonly<Record<string, unknown>>;

/** Whether the mesh-wide configuration is what it should be. */
export const meshConfigChecks = category("mesh configuration", [
  {
    name: "mesh-config",
    affirmation: "the mesh configuration is there and can be read",
    hint: "run meshctl install again: it restores ConfigMap istio",
    about: "The control plane keeps the last configuration that it could read; after a restart it has none.",
    severity: "error",
    phase: "after",
    needs: ["control-plane-installed"],
    run: async (facts) => {
      const text = await meshText(facts);
      if (text === undefined) return failed("ConfigMap istio with key mesh is not there");
      return readMesh(text) === undefined ? failed("key mesh of ConfigMap istio is not a YAML map") : ok();
    },
  },
  {
    name: "mesh-config-fields",
    affirmation: "fields of the mesh configuration are known and have values of their type",
    hint: "correct the fields that the message names: meshctl explain MeshConfig",
    about:
      "A field with a wrong name does nothing; one with a wrong value keeps the whole configuration from being read.",
    severity: "error",
    phase: "after",
    needs: ["mesh-config"],
    run: async (facts) => {
      const { probes, istioNamespace } = facts.context;
      const map = await facts.get("ConfigMap", istioNamespace, "istio");
      if (map === undefined || probes === undefined) return skipped("nobody can judge them here");
      const findings = await probes.meshConfig({ ...map, apiVersion: "v1", kind: "ConfigMap" });
      return verdict(
        findings.filter(({ level }) => level !== "Info").map((found) => `${found.code} ${probes.words(found)}`),
      );
    },
  },
  {
    name: "mesh-networks",
    affirmation: "the mesh's networks can be read",
    hint: "correct key meshNetworks of ConfigMap istio; networks: {} for none",
    about: "Networks say which endpoints are reached through a gateway.",
    severity: "error",
    phase: "after",
    needs: ["mesh-config"],
    run: async (facts) => {
      const map = await facts.get("ConfigMap", facts.context.istioNamespace, "istio");
      const text = map?.data?.["meshNetworks"];
      return text === undefined || readMesh(text) !== undefined
        ? ok()
        : failed("key meshNetworks of ConfigMap istio is not a YAML map");
    },
  },
  {
    name: "root-namespace",
    affirmation: "the root namespace is the control plane's",
    hint: "set meshConfig.rootNamespace to the control plane's namespace",
    about:
      "Policies and Sidecars in the root namespace hold for the whole mesh. In another namespace whoever may write there writes for everybody.",
    severity: "warning",
    phase: "after",
    needs: ["mesh-config"],
    run: async (facts) => {
      const root = (await mesh(facts))["rootNamespace"];
      const { istioNamespace } = facts.context;
      return root === undefined || root === istioNamespace
        ? ok()
        : failed(`it is ${typeof root === "string" ? root : JSON.stringify(root)}`);
    },
  },
  {
    name: "discovery-address",
    affirmation: "proxies are told an address of a control plane that is there",
    hint: "correct meshConfig.defaultConfig.discoveryAddress",
    about: "Injected proxies connect to this address and to no other.",
    severity: "error",
    phase: "after",
    needs: ["mesh-config"],
    run: async (facts) => {
      const config = (await mesh(facts))["defaultConfig"] as Mesh | undefined;
      const address = config?.["discoveryAddress"];
      if (typeof address !== "string") return ok();
      const [, name = "", namespace = ""] = /^([^.:]+)\.([^.:]+)\.svc/.exec(address) ?? [];
      if (name === "") return skipped(`${address} is no Service of this cluster`);
      const service = await facts.get("Service", namespace, name);
      return service === undefined ? failed(`${address}: there is no Service ${namespace}/${name}`) : ok(address);
    },
  },
  {
    name: "trust-domain",
    affirmation: "the root certificate is of the mesh's trust domain",
    hint: "set meshConfig.trustDomain back, or delete Secret istio-ca-secret and restart the control plane and all workloads",
    about:
      "Identities are issued in the trust domain of the configuration. When it was changed after the root was made, the two disagree.",
    severity: "warning",
    phase: "after",
    needs: ["mesh-config", "root-certificate"],
    run: async (facts) => {
      const domain = trustDomainOf(await mesh(facts));
      const subject = readPem((await caSecret(facts))?.certificate)?.[0]?.subject ?? "";
      const owner = /^O=(.+)$/m.exec(subject)?.[1];
      return owner === undefined || owner === domain
        ? ok(domain)
        : failed(`the root is of ${owner}, the mesh ${domain}`);
    },
  },
  {
    name: "trust-domain-aliases",
    affirmation: "aliases of the trust domain are other domains",
    hint: "take the trust domain itself out of meshConfig.trustDomainAliases",
    about:
      "An alias is another domain whose identities are accepted as one's own. A name that stands there twice shows a mistake, and each alias multiplies the rules of policies.",
    severity: "warning",
    phase: "after",
    needs: ["mesh-config"],
    run: async (facts) => {
      const { trustDomain = "cluster.local", trustDomainAliases = [] } = await mesh(facts);
      const all = [trustDomain, ...(trustDomainAliases as readonly unknown[])].map(String);
      return verdict(all.filter((each, at) => all.indexOf(each) < at).map((each) => `${each} stands there twice`));
    },
  },
  {
    name: "extension-providers",
    affirmation: "services of extension providers are there",
    hint: "correct the service of the provider in meshConfig.extensionProviders, or deploy it",
    about:
      "Proxies send traces, logs and authorization questions to a provider's service. With an external authorizer that is missing, requests are refused.",
    severity: "warning",
    phase: "after",
    needs: ["mesh-config"],
    run: async (facts) => {
      const providers = ((await mesh(facts))["extensionProviders"] ?? []) as readonly Mesh[];
      const named = providers.flatMap((provider) =>
        Object.values(provider).flatMap((details) => {
          const service = typeof details === "object" && details !== null ? (details as Mesh)["service"] : undefined;
          return typeof service === "string" ? [{ provider: String(provider["name"]), service }] : [];
        }),
      );
      const services = new Set(
        (await facts.list("Service")).map(({ metadata }) => `${metadata.name}.${metadata.namespace ?? ""}`),
      );
      return verdict(
        named
          .filter(({ service }) => {
            const parts = /^(?:[^/]+\/)?([^./]+)\.([^./]+)(\.svc.*)?$/.exec(service);
            return parts !== null && !services.has(`${parts[1] ?? ""}.${parts[2] ?? ""}`);
          })
          .map(({ provider, service }) => `provider ${provider}: no Service ${service}`),
      );
    },
  },
]);

async function meshText(facts: Facts): Promise<string | undefined> {
  return (await facts.get("ConfigMap", facts.context.istioNamespace, "istio"))?.data?.["mesh"];
}

async function mesh(facts: Facts): Promise<Mesh> {
  return readMesh((await meshText(facts)) ?? "") ?? {};
}

function trustDomainOf({ trustDomain }: Mesh): string {
  return typeof trustDomain === "string" ? trustDomain : "cluster.local";
}

function readMesh(text: string): Mesh | undefined {
  try {
    const value = parseYaml(text) ?? {};
    return typeof value === "object" && !Array.isArray(value) ? (value as Mesh) : undefined;
  } catch {
    return undefined;
  }
}
