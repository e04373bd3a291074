import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Page } from "playwright-core";
import { must, root, type Scenario } from "../../../scripts/scenario/context.ts";
import { SHOP } from "../../../scripts/scenario/steps/shop.ts";
import type { Authority, Finding, Observed, Proxy } from "../../../src/page/data.ts";
import { openBrowser } from "../browser/browser.ts";
import { pageStates } from "../page/states.ts";

const WAIT_MS = 20_000;

/** `meshctl dashboard mesh` in a real browser: the page shows what the API says, can be used by keyboard, and says no error. */
export async function pageInBrowser(scenario: Scenario): Promise<void> {
  const browser = await openBrowser();
  const dashboard = spawn(process.execPath, [join(root, "bin/meshctl.js"), "dashboard", "mesh", "--browser=false"], {
    env: { ...process.env, KUBECONFIG: scenario.kubeconfig },
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    const url = await Promise.race([
      once(createInterface(dashboard.stdout), "line").then(([line]) => String(line)),
      once(dashboard, "exit").then(([code]) => must(false, `dashboard mesh ended with ${String(code)}`) as never),
    ]);
    const page = await browser.newPage();
    const said: string[] = [];
    page.on("console", (message) => void (["error", "warning"].includes(message.type()) && said.push(message.text())));
    page.on("pageerror", (error) => void said.push(error.message));
    page.on(
      "request",
      (asked) => void (asked.url().startsWith(new URL(url).origin) || said.push(`asks ${asked.url()}`)),
    );
    page.setDefaultTimeout(WAIT_MS);
    await page.goto(url);
    await graphIsThere(page, url);
    await tablesAre(page, url);
    await keyboardLeads(page);
    await pageStates(browser);
    must(said.length === 0, `the browser says:\n${said.join("\n")}`);
  } finally {
    dashboard.kill("SIGTERM");
    await browser.close();
  }
}

function api<T>(url: string, path: string): Promise<T> {
  return fetch(new URL(path, url)).then((answer) => answer.json() as Promise<T>);
}

/** The picture has the workloads that were seen to call, and the table says the same. */
async function graphIsThere(page: Page, url: string): Promise<void> {
  await page.getByRole("img", { name: /workloads/ }).waitFor();
  const { nodes, edges } = await api<Observed>(url, "/ui/observed");
  const drawn = await page.locator("svg .node text:first-of-type").allTextContents();
  const names = nodes.map(({ name }) => name);
  must(
    names.includes("web-v1") && names.every((name) => drawn.includes(name)),
    `drawn are ${drawn.join(", ")}, seen were ${names.join(", ")}`,
  );
  const table = page.getByRole("table", { name: "Calls" });
  const edge = edges.find(({ from, to }) => from === `${SHOP}/client-v1` && to === `${SHOP}/web-v1`);
  must(edge?.security === "mutual_tls", `client to web: ${JSON.stringify(edge)}`);
  const row = table.getByRole("row", { name: /shop\/client-v1 shop\/web-v1/ });
  must(/mTLS/.test((await row.first().textContent()) ?? ""), "the table does not say that client calls web by mTLS");
}

async function tablesAre(page: Page, url: string): Promise<void> {
  const shown = async (link: RegExp, table: string): Promise<readonly string[]> => {
    await page.getByRole("link", { name: link }).click();
    const rows = page.getByRole("table", { name: table, exact: true }).getByRole("row");
    await rows.first().waitFor();
    return rows.allTextContents();
  };
  const proxies = await api<Proxy[]>(url, "/debug/syncz");
  const proxyRows = await shown(/^Proxies/, "Proxies");
  for (const { proxy } of proxies)
    must(
      proxyRows.some((row) => row.startsWith(proxy) && row.includes("SYNCED")),
      `no row of ${proxy} in:\n${proxyRows.join("\n")}`,
    );
  const { findings } = await api<{ findings: Finding[] }>(url, "/debug/analysis");
  await page.getByRole("link", { name: `Findings ${findings.length}`, exact: true }).click();
  if (findings.length === 0) await page.getByText("The analyzers find nothing wrong.").waitFor();
  else {
    const rows = await shown(/^Findings/, "Findings");
    for (const { code, message } of findings)
      must(
        rows.some((row) => row.startsWith(code) && row.includes(message)),
        `no row of ${code}`,
      );
  }
  const authority = await api<Authority>(url, "/debug/authority");
  const certificates = await shown(/^Certificates/, "Certificates of the authority");
  must(authority.certificates.length > 0, "the authority has no certificate");
  for (const { fingerprint } of authority.certificates)
    must(
      certificates.some((row) => row.includes(fingerprint)),
      `no row of ${fingerprint}`,
    );
  const scopes = await shown(/^Control plane/, "Log scopes");
  must(
    scopes.some((row) => /^ads(debug|info|warn|error)/.test(row)),
    `no scope ads in:\n${scopes.join("\n")}`,
  );
  const [first] = proxies;
  must(first !== undefined, "no proxy is connected");
  await page.getByRole("link", { name: /^Proxies/ }).click();
  await page.getByRole("link", { name: first.proxy }).click();
  await page.getByText(/^Clusters: \d+/).waitFor();
}

/** Tab reaches the way past the navigation first, and Enter on a section opens it. */
async function keyboardLeads(page: Page): Promise<void> {
  await page.reload();
  await page.keyboard.press("Tab");
  const focused = (): Promise<string> =>
    page
      .locator(":focus")
      .textContent()
      .then((text) => text ?? "");
  must((await focused()) === "Skip to content", `Tab leads to "${await focused()}" first`);
  await page.keyboard.press("Tab");
  must((await focused()) === "Graph", `then to "${await focused()}"`);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Graph" }).waitFor();
  const current = await page.locator("nav a[aria-current=page]").allTextContents();
  must(current.join() === "Graph", `the open section is said to be ${current.join(", ")}`);
  must((await page.getAttribute("html", "lang")) === "en", "the page says no language");
}
