import type { InjectContext } from "../../src/inject/config.ts";
import { readInjectorSettings } from "../../src/inject/context.ts";
import { render } from "../../src/install/render.ts";
import { settingsOf } from "../../src/install/settings.ts";
import type { ConfigMap } from "../../src/resources/core.ts";
import type { KubeObject } from "../../src/resources/object.ts";

/** The objects of a profile with `--set` lines. */
export function renderedObjects(profile: string, overrides: readonly string[] = []): readonly KubeObject[] {
  return render(settingsOf(profile, overrides)).flatMap((part) => part.objects);
}

/** Injection as an installed profile does it, in namespace shop. */
export function injectionContext(overrides: readonly string[] = [], more: Partial<InjectContext> = {}): InjectContext {
  const objects = renderedObjects("default", overrides);
  const map = (name: string): ConfigMap =>
    objects.find((object) => object.kind === "ConfigMap" && object.metadata.name === name) as ConfigMap;
  const settings = readInjectorSettings({ mesh: map("istio"), injector: map("istio-sidecar-injector") });
  return { ...settings, revision: "default", namespace: "shop", ...more };
}
