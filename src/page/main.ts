import { h, render } from "preact";
import { App } from "./app.ts";
import { browser } from "./browser.ts";

const root = browser.document.getElementById("page");
if (root !== null) render(h(App, {}), root as never);
