import { Subject } from "rxjs";
import type { AnyObservableClass } from "./like.ts";

/**
 * The Observable class of the installed RxJS: its own in RxJS 7, the platform's in RxJS 9. Only RxJS 7 exports it by
 * name; a Subject is one in both.
 */
export const InstalledClass: AnyObservableClass = Object.getPrototypeOf(Subject) as AnyObservableClass;
