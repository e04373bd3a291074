import { expect, test } from "vitest";
import { embedded } from "../../src/gen/embedded.ts";
import { profileNames } from "../../src/install/profiles.ts";
import { renderedObjects } from "../support/injection.ts";

/** Gateway API belongs to the cluster and its owner: install never writes it, whatever the profile. */
const GROUP = "gateway.networking.k8s.io";

test.each(profileNames())("profile %s writes nothing of Gateway API", (profile) => {
  const objects = renderedObjects(profile);
  const names = objects.map(({ metadata }) => metadata.name);
  expect(names.filter((name) => name.endsWith(GROUP))).toEqual([]);
  expect(objects.filter(({ apiVersion }) => apiVersion.startsWith(`${GROUP}/`))).toEqual([]);
});

test("install does not even carry its CRDs", () => {
  expect(Object.keys(embedded).filter((file) => file.includes(GROUP) || file.startsWith("gateway-api/"))).toEqual([]);
});
