import {
  broadcastDispatcher,
  type Consumer,
  fromIterable,
  partitionDispatcher,
  pipeline,
  type Producer,
  type ProducerConsumer,
} from "headrace";
import { fromObservable, intoObserver, throughOperators, toObservable } from "headrace/rxjs";
import {
  BehaviorSubject,
  filter,
  type InteropObservable,
  map,
  Observable as Observable7,
  of,
  pipe,
  Subject,
  type Subscribable,
} from "rxjs";
import { behaviorSubject, ColdObservable, Subject as Subject9 } from "rxjs-9";
import { map as map9 } from "rxjs-9/map";
import { expectAssignable, expectError, expectType } from "tsd";

const bounded = { overflow: "throw" } as const;
const numbers = fromIterable([1, 2, 3]);
const split = fromIterable([1, 2, 3], { dispatcher: partitionDispatcher({ partitions: 2, by: (n: number) => n }) });

// fromObservable: the event is inferred from either generation
expectType<Producer<number>>(fromObservable(new Observable7<number>(), bounded));
expectType<Producer<number>>(fromObservable(new Subject<number>(), bounded));
expectType<Producer<string>>(fromObservable(new BehaviorSubject("a"), bounded));
declare const interop: InteropObservable<number>;
expectType<Producer<number>>(fromObservable(interop, bounded));
declare const subscribable: Subscribable<string>;
expectType<Producer<string>>(fromObservable(subscribable, bounded));
expectType<Producer<number>>(fromObservable(new ColdObservable<number>(() => {}), bounded));
expectType<Producer<number>>(fromObservable(new Observable<number>(() => {}), bounded));
expectType<Producer<string>>(fromObservable(new Subject9<string>(), bounded));
expectType<Producer<number>>(fromObservable(behaviorSubject(1), bounded));
expectType<Producer<number>>(fromObservable({ "@@observable": () => of(1) }, bounded));
fromObservable(of(1), { ...bounded, dispatcher: broadcastDispatcher() }).events({ selector: (n: number) => n > 1 });
expectError(fromObservable(new ColdObservable<number>(() => {})));
expectError(fromObservable(new Subject9<number>(), { overflow: "latest" }));
expectError(fromObservable([1, 2], bounded));
expectError(fromObservable({}, bounded));
expectError(fromObservable(() => of(1), bounded));
expectError(fromObservable(of(1), { ...bounded, bufferSize: "5" }));
expectError<Producer<string>>(fromObservable(new ColdObservable<number>(() => {}), bounded));

// toObservable: that of the RxJS which is installed, or of a class
expectType<Observable7<number>>(toObservable(numbers));
expectType<Observable7<string>>(toObservable(numbers).pipe(map(String)));
expectType<Observable7<number>>(toObservable(numbers, { Observable: Observable7 }));
expectType<Observable<number>>(toObservable(numbers, { Observable: ColdObservable }));
expectType<Observable<string>>(toObservable(numbers, { Observable })[map9]((n) => String(n)));
expectType<Observable<number>>(toObservable(split, { Observable: ColdObservable, partition: 1 }));
expectError(toObservable(numbers, { Observable: Map }));
expectError(toObservable(numbers, { Observable: {} }));
expectError(toObservable(split, { Observable: ColdObservable }));
expectError(toObservable(numbers, { maxDemand: "5" }));
expectError(toObservable(numbers).pipe(map((text: string) => text)));

// throughOperators
const evens = throughOperators(
  pipe(
    filter((n: number) => n % 2 === 0),
    map((n) => String(n)),
  ),
);
expectType<ProducerConsumer<number, string>>(evens);
expectType<ProducerConsumer<string, number>>(throughOperators(map((text: string) => text.length)));
const nine = throughOperators((source: Observable<number>) => source[map9]((n) => [n]), { Observable: ColdObservable });
expectType<ProducerConsumer<number, number[]>>(nine);
expectAssignable<Producer<string>>(pipeline(numbers, evens));
evens.subscribe(numbers);
expectError(evens.subscribe(fromIterable(["a"])));
expectError(
  throughOperators(
    map((n: number) => n),
    { overflow: "latest" },
  ),
);
expectError(throughOperators(() => 5));
expectError(throughOperators(of(1)));
expectError(throughOperators((source: Observable<number>) => source[map9]((n) => n)));
expectError(pipeline(fromIterable(["a"]), evens));

// intoObserver
expectType<Consumer<number>>(intoObserver(new Subject<number>()));
expectType<Consumer<string>>(intoObserver(new Subject9<string>()));
expectType<Consumer<number>>(intoObserver((n: number) => void n));
expectType<Consumer<number>>(intoObserver({ next: (n: number) => void n }));
expectType<Consumer<number>>(intoObserver<number>({ complete: () => {} }));
expectError(intoObserver(5));
expectError(intoObserver({ next: 5 }));
expectError(intoObserver(new Subject<number>(), { bufferSize: 5 }));
expectError(intoObserver(new Subject<string>()).subscribe(numbers));
