import { Subject } from "rxjs";
import type { AnyObservableClass } from "./like.ts";

/**
 * The class of Observables of the RxJS that is installed: its own in RxJS 7, the platform's in RxJS 9. Only RxJS 7 exports
 * it by name, and a name that is not exported is an error to engines and bundlers; a Subject is one in both.
 */
export const InstalledClass: AnyObservableClass = Object.getPrototypeOf(Subject) as AnyObservableClass;
