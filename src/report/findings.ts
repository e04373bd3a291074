export { reporters } from "./index.ts";
