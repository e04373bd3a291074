import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import wabt from "wabt";

/** The module of module.wat, assembled; `variant` makes another one that does the same. */
export async function wasmModule(variant = ""): Promise<Buffer> {
  const text = readFileSync(join(import.meta.dirname, "module.wat"), "utf8");
  const assembler = await wabt();
  const named =
    variant === "" ? text : text.replace("(memory ", `(data (i32.const 512) ${JSON.stringify(variant)})\n(memory `);
  const module = assembler.parseWat("module.wat", named);
  try {
    return Buffer.from(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}

/** 64 hex digits. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
