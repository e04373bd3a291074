import type { Browser } from "playwright-core";
import { must } from "../../../scripts/scenario/context.ts";
import { askedAgain, looked, onScreens, says, SECTIONS } from "./layout-facts.ts";
import { awkwardMesh, emptyMesh } from "./made-mesh.ts";

/** The page over a mesh with nothing in it, one with everything that is too long or broken, and over a control plane that goes away. */
export async function pageStates(browser: Browser): Promise<void> {
  await onScreens(browser, emptyMesh(), async (page) => {
    await says(page, "No proxy is connected, so there is nothing to draw");
    await says(page, /kubectl label namespace NAME istio-injection=enabled/);
    for (const section of SECTIONS) await looked(page, section);
    await page.getByRole("link", { name: "Findings 0" }).click();
    await says(page, "The analyzers find nothing wrong.");
  });
  await onScreens(browser, awkwardMesh(), async (page, served) => {
    for (const section of SECTIONS) await looked(page, section);
    await looked(page, "proxies");
    const rows = await page.locator("main tbody tr").allTextContents();
    const states = ["NOT CONNECTED", "NACK", "STALE", "SYNCED"];
    must(
      rows.length === states.length && rows.every((row, at) => row.includes(states[at] ?? "")),
      `in the order of trouble: ${rows.join(" | ")}`,
    );
    served.show(undefined);
    await askedAgain(page);
    await says(page, /The control plane does not answer since/);
    must((await page.locator("main tbody tr").count()) === rows.length, "what was told before is gone");
    served.show(emptyMesh());
    await askedAgain(page);
    await page.getByText(/The control plane does not answer since/).waitFor({ state: "detached" });
  });
}
