import { expectAssignable, expectError, expectType } from "tsd";
import { collect, map, type Pipeline, pipeline, type PipelineOptions, runtime } from "headrace";
import { type Compiler, compiler, type CompilerOptions } from "headrace/compile";

expectType<Compiler>(compiler());
expectType<Compiler>(compiler({ after: 0 }));
expectType<Compiler>(compiler({ after: undefined }));
expectAssignable<CompilerOptions>({ after: 1 });
expectError(compiler({ after: "many" }));
expectError(compiler({ events: 1 }));

const compile = compiler();
expectAssignable<PipelineOptions>({ compile });
expectType<Pipeline<string[]>>(pipeline.with({ compile })([1, 2], map(String), collect()));
expectType<Pipeline<number[]>>(pipeline.with({ runtime: runtime({ compile }) })([1, 2], collect()));
expectType<Compiler | undefined>(runtime({ compile }).compile);
expectError(pipeline.with({ compile: compiler }));
expectError(pipeline.with({ compile: true }));
