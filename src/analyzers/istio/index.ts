import type { Analyzer } from "../analyzer.ts";
import { destinationruleReference } from "./destinationrule-reference.ts";
import { destinationruleVerification } from "./destinationrule-verification.ts";
import { fieldWithoutEffect } from "./field-without-effect.ts";
import { gatewayCertificateShared } from "./gateway-certificate-shared.ts";
import { gatewayConflict } from "./gateway-conflict.ts";
import { gatewayCredential } from "./gateway-credential.ts";
import { gatewayPort } from "./gateway-port.ts";
import { gatewayReference } from "./gateway-reference.ts";
import { virtualserviceConflict } from "./virtualservice-conflict.ts";
import { virtualserviceDestination } from "./virtualservice-destination.ts";
import { virtualserviceIngressSubset } from "./virtualservice-ingress-subset.ts";
import { virtualserviceJwtClaim } from "./virtualservice-jwt-claim.ts";

/** Analyzers of the conditions that Istio has codes for. */
export const istioAnalyzers: readonly Analyzer[] = [
  destinationruleReference,
  destinationruleVerification,
  fieldWithoutEffect,
  gatewayCertificateShared,
  gatewayConflict,
  gatewayCredential,
  gatewayPort,
  gatewayReference,
  virtualserviceConflict,
  virtualserviceDestination,
  virtualserviceIngressSubset,
  virtualserviceJwtClaim,
];
