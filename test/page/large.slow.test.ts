import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser } from "../support/browser/browser.ts";
import { looked, onScreens, says, SECTIONS } from "../support/page/layout-facts.ts";
import { largeMesh } from "../support/page/made-mesh.ts";
import { pageStates } from "../support/page/states.ts";

// The page in a real browser, on a desk's and a phone's screen.
let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
}, 600_000);
afterAll(() => browser.close());

test("an empty mesh, a broken one, and a control plane that goes away", () => pageStates(browser), 120_000);

test("200 services: drawn by namespaces, each of which opens; long tables are narrowed by words", async () => {
  await onScreens(browser, largeMesh(200), async (page) => {
    await says(page, "A mesh of this size is drawn by namespaces");
    await page.getByRole("img", { name: /^20 namespaces/ }).waitFor();
    for (const section of SECTIONS) await looked(page, section);
    await looked(page, "graph");
    await page.locator(".node", { hasText: "team-7" }).click();
    await page.getByRole("img", { name: /workloads/ }).waitFor();
    await looked(page, "graph/team-7");
    const drawn = await page.locator(".node .where").allTextContents();
    expect(drawn.filter((namespace) => namespace === "team-7")).toHaveLength(10);
    expect(drawn.length).toBeLessThan(60);
    await page.getByRole("link", { name: "Proxies 200" }).click();
    // the graph's own table has a search box too
    await page.getByRole("heading", { name: "Proxies", exact: true }).waitFor();
    await page.getByRole("searchbox").fill("team-13 synced");
    await says(page, "10 of 200 rows");
    expect(await page.locator("main tbody tr").count()).toBe(10);
    await page.getByRole("searchbox").fill("nobody");
    await says(page, "No row has these words.");
  });
}, 120_000);
