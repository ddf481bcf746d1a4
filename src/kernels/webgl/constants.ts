/** Choices that depend on devices: measured on SwiftShader, and of the order that GPUs want. */

/**
 * A row of more classes is cut into about sqrt(classes) chunks, a fragment each, which a second program puts together:
 * otherwise few rows would leave a GPU idle. Below, that second program costs more than it saves.
 */
export const CLASSES_IN_ONE_PASS = 1024;

/** Terms that one fragment adds up, unless there are more than the square of it. A power of two. */
export const ROWS_IN_ONE_SUM = 1024;
