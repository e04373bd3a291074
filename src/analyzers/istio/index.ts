import type { Analyzer } from "../analyzer.ts";
import { destinationruleSubset } from "./destinationrule-subset.ts";
import { destinationruleVerification } from "./destinationrule-verification.ts";
import { fieldWithoutEffect } from "./field-without-effect.ts";
import { gatewayReference } from "./gateway-reference.ts";
import { virtualserviceDestination } from "./virtualservice-destination.ts";

/** Analyzers of the conditions that Istio has codes for. */
export const istioAnalyzers: readonly Analyzer[] = [
  destinationruleSubset,
  destinationruleVerification,
  fieldWithoutEffect,
  gatewayReference,
  virtualserviceDestination,
];
