export type {
  Adapter,
  Capabilities,
  Deviation,
  SinkOptions,
  SinkProbe,
  SinkSubject,
  SourceOptions,
  SourceSubject,
  ThroughProbe,
  ThroughSubject,
} from "./adapter.ts";
export { conformance, type Framework, runConformance, type Verdict } from "./run.ts";
