/**
 * What script tags see as the global `tfjsCrossEntropy`: the main entry, and the adaptors beside it.
 *
 * ```html
 * <script>
 *   tfjsCrossEntropy.layers.installInLayers(tf);
 * </script>
 * ```
 *
 * @packageDocumentation
 */
export * as graph from './graph';
export * from './index';
export * as layers from './layers';
