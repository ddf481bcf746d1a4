import { defineConfig } from 'tsdown';

const shared = { platform: 'neutral', target: 'es2020', outDir: 'dist', sourcemap: false } as const;

export default defineConfig([
  {
    ...shared,
    entry: {
      index: 'src/index.ts',
      layers: 'src/layers/index.ts',
      'layers-auto': 'src/layers/auto.ts',
      graph: 'src/graph/index.ts',
      webgl: 'src/webgl/index.ts',
      webgpu: 'src/webgpu/index.ts',
    },
    format: ['esm', 'cjs'],
    outputOptions: ({ format }) => ({ chunkFileNames: `chunks/[name].${format === 'cjs' ? 'cjs' : 'js'}` }),
    dts: true,
  },
  {
    // For script tags: TensorFlow.js is the global `tf`, we are the global `tfjsCrossEntropy`.
    ...shared,
    entry: { 'tfjs-cross-entropy': 'src/index.ts' },
    format: 'iife',
    globalName: 'tfjsCrossEntropy',
    minify: true,
    outputOptions: { globals: { '@tensorflow/tfjs-core': 'tf' }, entryFileNames: '[name].min.js' },
    dts: false,
    clean: false,
  },
]);
