/** Choices that depend on devices: measured on SwiftShader, and of the order that GPUs want. */

/**
 * A row of more classes is cut into about sqrt(classes / 2) chunks, a fragment each, which a second program puts
 * together: otherwise few rows would leave a GPU idle. Below, that second program costs more than it saves.
 */
export const CLASSES_IN_ONE_PASS = 128;

/** Texels that are loaded before their exponentials are added: one rescaling of the sum so far for all of them. */
export const TEXELS_AT_ONCE = 4;

/** Rows that one fragment adds up, in `SUM_RUN` runs of as many. A power of two, so that dividing by it is exact. */
export const ROWS_IN_ONE_SUM = 1024;
export const SUM_RUN = 32;

/** Half floats end at 65,504: a sum of exponentials is kept as a 128th, so that 8 million classes fit. */
export const HALF_SUM_SCALE = 1 / 128;

/** Half floats count up to 2,048 without gaps: a label is kept in two parts, its multiples of this and the rest. */
export const HALF_LABEL_PART = 2048;
