import { expect, test } from "vitest";
import { generatedOptions } from "../../src/model/generated-options.ts";
import { meshConfigOf } from "../../src/model/mesh-config.ts";

// MeshConfig.meshMTLS and COMPLIANCE_POLICY: limits of the TLS between workloads.

const limits = (mesh: string, ...more: ["fips-140-2"?]) =>
  generatedOptions(meshConfigOf(mesh, "istio-system"), ...more).meshTls;

test("nothing is said: the usual", () => {
  expect(limits("")).toBeUndefined();
  expect(limits("meshMTLS: { minProtocolVersion: TLS_AUTO }")).toBeUndefined();
});

test("the least version and the suites, those that Envoy knows", () => {
  expect(limits("meshMTLS: { minProtocolVersion: TLSV1_3 }")).toEqual({ minVersion: "TLSv1_3" });
  expect(limits("meshMTLS: { cipherSuites: [ECDHE-RSA-AES256-GCM-SHA384, MADE-UP] }")).toEqual({
    cipherSuites: ["ECDHE-RSA-AES256-GCM-SHA384"],
  });
  expect(limits("meshMTLS: { cipherSuites: [MADE-UP] }")).toBeUndefined();
});

test("what is said of TLS to servers outside, without versions", () => {
  const of = (mesh: string) => generatedOptions(meshConfigOf(mesh, "istio-system")).outsideTls;
  expect(of("")).toBeUndefined();
  expect(of("tlsDefaults: { minProtocolVersion: TLSV1_3, cipherSuites: [MADE-UP] }")).toBeUndefined();
  expect(of("tlsDefaults: { cipherSuites: [ECDHE-RSA-AES256-GCM-SHA384], ecdhCurves: [P-256] }")).toEqual({
    cipherSuites: ["ECDHE-RSA-AES256-GCM-SHA384"],
    curves: ["P-256"],
  });
});

test("a compliance policy comes before what the mesh says", () => {
  expect(limits("meshMTLS: { minProtocolVersion: TLSV1_3 }", "fips-140-2")).toMatchObject({
    minVersion: "TLSv1_2",
    maxVersion: "TLSv1_2",
    curves: ["P-256"],
  });
});
