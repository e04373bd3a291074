#!/usr/bin/env node
// kubectl asks a program of this name what can follow `kubectl mesh`.
process.argv.splice(2, 0, "__complete");
await import("./meshctl.js");
