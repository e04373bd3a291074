import type { Analyzer } from "../analyzer.ts";
import { annotation } from "./annotation.ts";
import { applicationUser } from "./application-user.ts";
import { authorizationPolicyReference } from "./authorization-policy-reference.ts";
import { conditionStatus } from "./condition-status.ts";
import { crdVersion } from "./crd-version.ts";
import { destinationruleReference } from "./destinationrule-reference.ts";
import { destinationruleVerification } from "./destinationrule-verification.ts";
import { envoyfilterOperation } from "./envoyfilter-operation.ts";
import { fieldWithoutEffect } from "./field-without-effect.ts";
import { gatewayCertificateShared } from "./gateway-certificate-shared.ts";
import { gatewayConflict } from "./gateway-conflict.ts";
import { gatewayCredential } from "./gateway-credential.ts";
import { gatewayPort } from "./gateway-port.ts";
import { gatewayReference } from "./gateway-reference.ts";
import { imageAuto } from "./image-auto.ts";
import { jwksFetch } from "./jwks-fetch.ts";
import { meshNetworks } from "./mesh-networks.ts";
import { namespaceInjection } from "./namespace-injection.ts";
import { podProxy } from "./pod-proxy.ts";
import { policySelectorGateway } from "./policy-selector-gateway.ts";
import { serviceAcrossClusters } from "./service-across-clusters.ts";
import { serviceEntryAddress } from "./service-entry-address.ts";
import { serviceEntryProtocol } from "./service-entry-protocol.ts";
import { servicePortName } from "./service-port-name.ts";
import { sidecarSelector } from "./sidecar-selector.ts";
import { telemetryProvider } from "./telemetry-provider.ts";
import { telemetrySelector } from "./telemetry-selector.ts";
import { virtualserviceConflict } from "./virtualservice-conflict.ts";
import { virtualserviceDestination } from "./virtualservice-destination.ts";
import { virtualserviceIngressSubset } from "./virtualservice-ingress-subset.ts";
import { virtualserviceJwtClaim } from "./virtualservice-jwt-claim.ts";
import { webhookAddress } from "./webhook-address.ts";
import { webhookOverlap } from "./webhook-overlap.ts";
import { workloadServices } from "./workload-services.ts";

/** Analyzers of the conditions that Istio has codes for. */
export const istioAnalyzers: readonly Analyzer[] = [
  annotation,
  applicationUser,
  authorizationPolicyReference,
  conditionStatus,
  crdVersion,
  destinationruleReference,
  destinationruleVerification,
  envoyfilterOperation,
  fieldWithoutEffect,
  gatewayCertificateShared,
  gatewayConflict,
  gatewayCredential,
  gatewayPort,
  gatewayReference,
  imageAuto,
  jwksFetch,
  meshNetworks,
  namespaceInjection,
  podProxy,
  policySelectorGateway,
  serviceAcrossClusters,
  serviceEntryAddress,
  serviceEntryProtocol,
  servicePortName,
  sidecarSelector,
  telemetryProvider,
  telemetrySelector,
  virtualserviceConflict,
  virtualserviceDestination,
  virtualserviceIngressSubset,
  virtualserviceJwtClaim,
  webhookAddress,
  webhookOverlap,
  workloadServices,
];
