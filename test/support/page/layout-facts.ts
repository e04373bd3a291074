import type { Browser, Page } from "playwright-core";
import { must } from "../../../scripts/scenario/context.ts";
import type { MadeMesh } from "./made-mesh.ts";
import { type ServedPage, servePage } from "./serve.ts";

/** The two screens that the page is looked at on: a desk's in light colours, a phone's in dark ones. */
export const SCREENS = [
  { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  { viewport: { width: 390, height: 844 }, colorScheme: "dark" },
] as const;

/** By the word in the address. */
export const SECTIONS = ["graph", "proxies", "findings", "certificates", "meshd"] as const;

/** Opens the page over this data on each screen, and closes everything. */
export async function onScreens(
  browser: Browser,
  mesh: MadeMesh,
  look: (page: Page, served: ServedPage) => Promise<void>,
): Promise<void> {
  for (const screen of SCREENS) {
    const [served, context] = await Promise.all([servePage(mesh), browser.newContext(screen)]);
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      await page.clock.install();
      await page.goto(served.url);
      await page.getByRole("heading", { name: "Graph" }).waitFor();
      await look(page, served);
    } finally {
      await context.close();
      await served.close();
    }
  }
}

/** Opens a section and holds it to what every one keeps to: nothing is wider than the screen, no box of a picture covers another, no line leaves it. */
export async function looked(page: Page, section: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(`#/${section}`)}`);
  const [word = ""] = section.split("/");
  await page.locator(`nav a[aria-current=page][href="#/${word}"]`).waitFor();
  const problems = (await page.evaluate(FACTS)) as readonly string[];
  must(problems.length === 0, `${section} at ${page.viewportSize()?.width ?? 0} pixels: ${problems.join("; ")}`);
}

/** Runs in the browser. */
const FACTS = `(() => {
  const problems = [];
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) problems.push("the page is " + scrollWidth + " wide, the screen " + clientWidth);
  for (const region of document.querySelectorAll("div.scroll"))
    if (clientWidth < 600 && region.scrollWidth > region.clientWidth) problems.push("a table is wider than the screen");
  const boxes = [...document.querySelectorAll(".node rect")].map((box) => box.getBoundingClientRect());
  boxes.forEach((a, at) => boxes.slice(at + 1).forEach((b) => {
    if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) problems.push("two boxes overlap");
  }));
  const sheet = document.querySelector("svg")?.getBoundingClientRect();
  for (const line of document.querySelectorAll(".edge path")) {
    const { left, right, top, bottom } = line.getBoundingClientRect();
    if (left < sheet.left || right > sheet.right || top < sheet.top || bottom > sheet.bottom)
      problems.push("a line leaves the picture");
  }
  for (const node of document.querySelectorAll(".node")) {
    const [box, ...texts] = [...node.children].map((part) => part.getBoundingClientRect());
    for (const text of texts)
      if (text.left < box.left || text.right > box.right) problems.push(node.textContent + " is wider than its box");
  }
  return problems;
})()`;

/** Waits for words on the page. */
export async function says(page: Page, words: string | RegExp): Promise<void> {
  await page.getByText(words).first().waitFor();
}

/** Lets the time between two questions of the page pass. */
export async function askedAgain(page: Page): Promise<void> {
  await page.clock.fastForward(6000);
}
