/** The last arguments of a function that subscribes: its options may be left out unless the producer's dispatcher needs some. */
// biome-ignore lint/complexity/noBannedTypes: "can be left out" is what {} asks here
export type Arguments<Options extends object, SO extends object> = {} extends SO
  ? [options?: keyof SO extends never ? Options : Options & SO]
  : [options: Options & SO];
