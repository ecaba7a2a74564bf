/** The phases of a stage's life, in order. A stage only advances, and may skip. */
export const STARTING = 0;
export const RUNNING = 1;
/** The input is over; `handleEnd` runs, or has returned "later". */
export const OVER = 2;
/** The buffer still goes out. */
export const DRAINING = 3;
/** `terminate` runs. */
export const ENDING = 4;
/** The consumers know that it has completed, and may still give events back. */
export const PARTING = 5;
/** The links have ended. */
export const CLOSED = 6;
