import { fromIterable } from "headrace";

export const numbers = fromIterable([1, 2, 3]);
