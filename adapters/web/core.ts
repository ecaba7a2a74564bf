import type { Core } from "../../src/stage/core.ts";

/** The stage behind what the user holds: adapters schedule work of their own, and report what fails in clean-up. */
export const coreOf = (stage: object): Core => (stage as { readonly "~core": Core })["~core"];
