import type { CommandInput, CommandResult, Io } from "../io.ts";
import { bundle } from "./bundle.ts";
import { list } from "./list.ts";
import { load } from "./load.ts";
import { push } from "./push.ts";
import { sbom } from "./sbom.ts";
import { verify } from "./verify.ts";

const VIEWS = { bundle, list, load, push, sbom, verify };

/** `meshctl images <view>`: one command per thing to do with images. */
export function runView(view: keyof typeof VIEWS, input: CommandInput, io: Io): Promise<CommandResult> {
  return VIEWS[view](input, io);
}
