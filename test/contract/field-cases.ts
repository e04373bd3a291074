/** Fields that no request of the traffic cases shows, and the file that shows them: by `Type.field` of the schemas. */
export const SHOWN_ELSEWHERE: Readonly<Record<string, string>> = {
  ...of("test/compile/testdata/gateway-api/gateways.in.yaml", [
    "GatewayClass.controllerName",
    "GatewayClass.parametersRef",
    "GatewayClassParametersReference.group",
    "GatewayClassParametersReference.kind",
    "GatewayClassParametersReference.name",
    "GatewayClassParametersReference.namespace",
  ]),
  // says something to people alone
  "GatewayClass.description": "schemas/gateway-api/gateway-class.schema.json",
  "KubernetesGatewayListenerTls.options": "test/analyzers/testdata/gateway-api-gateway/certificates.in.yaml",
  // names of rules go into names of routes
  "VirtualServiceHttpMatch.name": "test/compile/testdata/http-rules.in.yaml",
  // in the loopback form of the cases the address is the workload's own
  "GatewayServer.bind": "test/compile/testdata/gateway-tls.in.yaml",
  "ServiceEntry.addresses": "test/compile/testdata/service-entry-addresses.in.yaml",
  ...of("test/xds/envoy-filter.test.ts", [
    "EnvoyFilter.targetRefs",
    "EnvoyFilterFilterChainMatch.name",
    "EnvoyFilterFilterChainMatch.applicationProtocols",
    "EnvoyFilterFilterChainMatch.destinationPort",
    "EnvoyFilterListenerMatch.listenerFilter",
    "EnvoyFilterListenerMatch.name",
    "EnvoyFilterPatch.filterClass",
  ]),
  // has to be the object's own
  "TargetRef.namespace": "src/model/policy-selection.ts",
  // of a Gateway, whose pods the lab has none of
  ...of("test/model/telemetry.test.ts", ["Telemetry.targetRef", "Telemetry.targetRefs"]),
  "TelemetryMetrics.reportingInterval": "test/e2e/envoy/traffic/streams.test.ts",
  // read by injection
  ...of("test/model/proxy-config.test.ts", [
    "ProxyConfig.selector",
    "ProxyConfig.concurrency",
    "ProxyConfig.environmentVariables",
  ]),
  ...of("test/e2e/apiserver/testdata/objects/all-fields.yaml", [
    "ProxyConfig.image",
    "ProxyConfigProxyImage.imageType",
  ]),
  // workloads outside the cluster
  ...of("test/controlplane/auto-registration.test.ts", [
    "WorkloadGroup.metadata",
    "WorkloadGroupMetadata.annotations",
    "WorkloadGroupMetadata.labels",
  ]),
  ...of("test/e2e/local/virtual-machine.test.ts", ["WorkloadGroup.template", "WorkloadGroup.probe"]),
  ...of("test/agent/app-health.test.ts", [
    "WorkloadGroupProbe.initialDelaySeconds",
    "WorkloadGroupProbe.periodSeconds",
    "WorkloadGroupProbe.successThreshold",
    "WorkloadGroupProbe.failureThreshold",
  ]),
  // HTTPS is asked without looking at the certificate
  "WorkloadGroupHttpGet.scheme": "src/agent/probe.ts",
  ...of("test/agent/probe.test.ts", [
    "WorkloadGroupProbe.timeoutSeconds",
    "WorkloadGroupProbe.httpGet",
    "WorkloadGroupHttpGet.path",
    "WorkloadGroupHttpGet.port",
    "WorkloadGroupHttpGet.host",
    "WorkloadGroupHttpGet.httpHeaders",
    "WorkloadGroupHttpHeader.name",
    "WorkloadGroupHttpHeader.value",
    "WorkloadGroupProbe.tcpSocket",
    "WorkloadGroupTcpSocket.host",
    "WorkloadGroupTcpSocket.port",
    "WorkloadGroupProbe.exec",
    "WorkloadGroupExec.command",
    "WorkloadGroupProbe.grpc",
    "WorkloadGroupGrpc.port",
    "WorkloadGroupGrpc.service",
  ]),
  "KubernetesGateway.infrastructure": "test/controlplane/gateway-api-deployments.test.ts",
  "KubernetesGatewayInfrastructure.labels": "test/controlplane/gateway-api-deployments.test.ts",
  "KubernetesGatewayInfrastructure.annotations": "test/controlplane/gateway-api-deployments.test.ts",
  "KubernetesGatewayInfrastructure.parametersRef": "test/controlplane/gateway-api-deployments.test.ts",
};

function of(file: string, fields: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(fields.map((field) => [field, file]));
}
