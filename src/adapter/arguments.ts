/** The last arguments of a function that subscribes: options, required where the dispatcher needs some. */
export type Arguments<Options extends object, SO extends object> = {} extends SO
  ? [options?: keyof SO extends never ? Options : Options & SO]
  : [options: Options & SO];
