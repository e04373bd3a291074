import { type Ca, createRoot } from "../../../src/pki/ca.ts";
import { intermediateCa } from "../authorities.ts";
import type { Lab } from "./lab.ts";
import type { Load } from "./load.ts";

/**
 * Exchanges leaf, intermediate and root of every proxy, one after another, waiting after each until requests are served; resolves
 * with the authority that signs at the end.
 */
export async function exchangeAuthorities(lab: Lab, load: Load): Promise<Ca> {
  const { ca: first, validity } = lab.plane;
  const second = await createRoot("second", validity);
  const under = await intermediateCa(first, "under the first", { kind: "ecdsa", validity });
  const next = await intermediateCa(second, "under the second", { kind: "rsa", validity });
  const proxies = Object.values(lab.proxies);
  const all = async (by: Parameters<(typeof proxies)[number]["identify"]>[0]): Promise<void> => {
    for (const proxy of proxies) {
      await proxy.identify(by);
      await load.steady(() => true, 10);
    }
  };
  await all({ ca: first });
  await all({ ca: under });
  await all({ roots: `${first.roots}${second.roots}` });
  await all({ ca: next });
  await all({ roots: second.roots });
  return next;
}
