import { expect, test } from "vitest";
import { admit } from "../../src/controlplane/admission.ts";

const policy = {
  apiVersion: "security.istio.io/v1",
  kind: "AuthorizationPolicy",
  metadata: { name: "deny-all", namespace: "shop" },
};
const route = (http: object): Parameters<typeof admit>[0] => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "reviews", namespace: "shop" },
  spec: { hosts: ["reviews"], http: [http] },
});
const to = [{ destination: { host: "reviews" } }];

test("a kind that nothing reads is taken with a warning, also without a spec", () => {
  const warning =
    "accepted, has no effect yet: spec (nothing reads an object of kind AuthorizationPolicy). " +
    "Do not rely on it: no request is refused because of it.";
  expect(admit(policy)).toMatchObject({ allowed: true, warnings: [warning] });
  expect(admit({ ...policy, spec: { action: "DENY" } }).warnings).toContain(warning);
});

test("fields without effect are named in one warning", () => {
  const { allowed, warnings } = admit(route({ route: to, timeout: "1s", mirror: { host: "b" }, fault: {} }));
  expect({ allowed, warnings }).toEqual({
    allowed: true,
    warnings: ["accepted, has no effect yet: spec.http[0].mirror, spec.http[0].fault. Do not rely on it."],
  });
});

test("nothing is said of an object that is obeyed, refused or deleted", () => {
  expect(admit(route({ route: to, timeout: "1s" }))).toMatchObject({ allowed: true, warnings: [] });
  expect(admit(route({ route: to, mirror: "b" }))).toMatchObject({ allowed: false, warnings: [] });
  expect(admit(null)).toEqual({ allowed: true });
});
