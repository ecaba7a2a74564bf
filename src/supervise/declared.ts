import { stopsAfterLast } from "../adapter/index.ts";
import { refuseUnknown, requireInteger, requireMember, requireOneOf, requireType } from "../base/check.ts";
import { type ArgumentError, argumentError, words } from "../base/errors.ts";
import type { SubscribeOptions } from "../contract/options.ts";
import type { AnyProducer, ChildDeclaration, SubscribeTo, SupervisorOptions } from "./declaration.ts";
import { type Link, Member } from "./member.ts";
import { checkRestarts, checkShutdown, restartNames } from "./restarts.ts";

const optionNames = ["strategy", "onLost", ...restartNames, "name", "signal", "runtime", "onReport"];
const childNames = ["name", "start", "restart", "shutdown", "subscribeTo"];

export function checkOptions(options: SupervisorOptions): void {
  refuseUnknown("supervisor", options, optionNames);
  requireType("name", options.name, "string");
  requireMember("signal", options.signal, "an AbortSignal", "aborted", "boolean");
  requireMember("runtime", options.runtime, "a runtime()", "schedule");
  requireType("onReport", options.onReport, "function");
  requireType("onLost", options.onLost, "function");
  requireOneOf("strategy", options.strategy, ["oneForOne", "restForOne", "oneForAll"]);
  checkRestarts(options);
}

const isProducer = (value: unknown): value is AnyProducer =>
  typeof (value as { readonly "~attach"?: unknown } | null | undefined)?.["~attach"] === "function";

/** Those of every subscription: its producer checks its own. */
function checkSubscribe({ maxDemand, minDemand, cancel, demand }: SubscribeOptions): void {
  requireInteger("maxDemand", maxDemand, 1);
  requireInteger("minDemand", minDemand, 0, maxDemand === undefined ? undefined : maxDemand - 1);
  requireOneOf("cancel", cancel, ["permanent", "transient", "temporary"]);
  requireOneOf("demand", demand, ["automatic", "manual"]);
}

const linkOf = (child: string, given: SubscribeTo): Link => {
  if (typeof given === "string" || isProducer(given)) return { to: given, options: {} };
  const { to, ...options } = Object(given) as { readonly to?: unknown } & SubscribeOptions;
  if (typeof to === "string" || isProducer(to)) {
    checkSubscribe(options);
    return { to, options };
  }
  const expected = `subscribeTo of ${child} to be a producer, a child's name, or { to }`;
  throw argumentError("ERR_OPTION", expected, to ?? given);
};

/** The refusal of a source that would stop with its failed consumer. */
export function refusal(child: string, producer: { readonly name: string }): ArgumentError {
  const got = words(`${producer.name}, which stops with its last consumer: make it with onLastCancel: "continue"`);
  return argumentError("ERR_OPTION", `${child} to be subscribed to a producer that waits for its next consumer`, got);
}

function memberOf(declaration: ChildDeclaration, index: number): Member {
  const position = `child ${index + 1}`;
  if (Object(declaration) !== declaration || typeof declaration === "function")
    throw argumentError("ERR_OPTION", `${position} of supervisor to be { start: () => … }`, declaration);
  refuseUnknown(position, declaration, childNames);
  const { name = position, start, restart, shutdown, subscribeTo = [] } = declaration;
  requireType(`the name of ${position}`, name, "string");
  if (typeof start !== "function") throw argumentError("ERR_OPTION", `${name} to have start, a function`, start);
  requireOneOf(`restart of ${name}`, restart, ["permanent", "transient", "temporary"]);
  checkShutdown(shutdown);
  const all = (Array.isArray(subscribeTo) ? subscribeTo : [subscribeTo]) as readonly SubscribeTo[];
  return new Member(
    declaration,
    name,
    index,
    all.map((each) => linkOf(name, each)),
  );
}

/** The children of a supervisor, checked. */
export function membersOf(children: readonly ChildDeclaration[]): Member[] {
  if (!Array.isArray(children))
    throw argumentError("ERR_OPTION", "supervisor to get an array of children, [{ start: () => … }]", children);
  const members = (children as readonly ChildDeclaration[]).map(memberOf);
  const names = new Set(members.map(({ name }) => name));
  if (names.size < members.length) {
    const twice = members.find(({ name }, at) => members.findIndex((other) => other.name === name) < at);
    throw argumentError("ERR_OPTION", "names of children to differ", twice?.name);
  }
  for (const { name, links, restart } of members)
    for (const { to } of links) {
      if (typeof to !== "string") {
        if (restart !== "temporary" && stopsAfterLast(to)) throw refusal(name, to);
      } else if (to === name || !names.has(to)) {
        const others = [...names].filter((other) => other !== name).join(", ") || "none";
        throw argumentError("ERR_OPTION", `subscribeTo of ${name} to name another child (${others})`, to);
      }
    }
  return members;
}
