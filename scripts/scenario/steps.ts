import { gettingStarted } from "./steps/getting-started.ts";
import { insight } from "./steps/insight.ts";
import { install, uninstall } from "./steps/install.ts";
import { restart } from "./steps/restart.ts";
import { security } from "./steps/security.ts";
import { shop } from "./steps/shop.ts";
import { canary, gateway, tcp } from "./steps/traffic.ts";
import { upgradeByTag } from "./steps/upgrade.ts";
import type { Scenario } from "./context.ts";

/** One step of the main job: what it shows, and the doing of it. It throws NotTrue when it sees something else. */
export interface Step {
  readonly title: string;
  run(scenario: Scenario): Promise<void>;
}

/** The main job between "a cluster is there" and "the cluster is as it was". The same on every kind of cluster. */
export const MAIN_JOB: readonly Step[] = [
  install,
  shop,
  security,
  canary,
  gateway,
  tcp,
  insight,
  gettingStarted,
  restart,
  uninstall,
];

/** The main job, and an upgrade before its end: longer than the demo should take. */
export const MAIN_JOB_WITH_UPGRADE: readonly Step[] = [...MAIN_JOB.slice(0, -1), upgradeByTag, ...MAIN_JOB.slice(-1)];
