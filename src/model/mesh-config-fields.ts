/** Fields of MeshConfig that are accepted and do nothing, and why; every other one is read. (test/contract/mesh-config-fields.test.ts) */
export const IDLE_MESH_CONFIG: Readonly<Record<string, string>> = {
  ca: "authorities outside are installed with the control plane, see the guide of the certificate authority",
  certificates: "deprecated; a signer such as cert-manager issues them",
  configSources: "configuration is read from the Kubernetes API only",
  defaultTrafficPolicy: "a DestinationRule of the root namespace does the same",
  discoverySelectors: "all namespaces are looked at; a Sidecar narrows what proxies see",
  hboneIdleTimeout: "ambient mode is not served",
  proxyHttpPort: "a Sidecar with an egress listener does the same",
  serviceEntryVisibility: "exportTo of a ServiceEntry, or defaultServiceExportTo, does the same",
  serviceScopeConfigs: "ambient mode is not served",
  verifyCertificateAtClient: "deprecated; certificates are always verified",
};

/** Names of the fields of a mesh configuration that change nothing, with the reason of each. */
export function idleMeshFields(config: unknown): readonly { readonly name: string; readonly why: string }[] {
  if (typeof config !== "object" || config === null || Array.isArray(config)) return [];
  return Object.entries(config).flatMap(([name, value]) => {
    const why = Object.hasOwn(IDLE_MESH_CONFIG, name) ? IDLE_MESH_CONFIG[name] : undefined;
    return why === undefined || isNothing(value) ? [] : [{ name, why }];
  });
}

/** What stands for Istio's own default. */
function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return true;
  return Array.isArray(value) && value.length === 0;
}
