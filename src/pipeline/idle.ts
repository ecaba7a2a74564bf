import type { ProducerConsumerHandle } from "../stage/faces.ts";
import { HeldPort } from "../stage/held-port.ts";
import { Idle, watchIdle } from "../stage/idle.ts";
import { StageInlet } from "../stage/stage-inlet.ts";

/**
 * Holds back what the links of a pipeline without a sink ask for, until its last producer has a consumer. One that
 * never gets a consumer is reported.
 */
export function holdBack(last: ProducerConsumerHandle, links: readonly StageInlet[], name: string): void {
  const { downstream, outcome, report, runtime } = last["~core"];
  const ports = links.map((link) => new HeldPort(link));
  const idle = new Idle(name, report.onReport);
  watchIdle(last, idle);
  outcome.onAwaited = () => void runtime.clock.setTimer(() => idle.tell(), 0);
  outcome.whenSettled(() => idle.over());
  const release = (): void => {
    downstream.onLinked = undefined;
    for (const held of ports) held.release();
  };
  downstream.onLinked = ({ port }) => {
    idle.over();
    if (port instanceof StageInlet && port.port instanceof HeldPort) port.port.releases.push(release);
    else release();
  };
}
