import { defineConfig } from 'tsdown';

/** Minifiers leave strings alone: shaders lose their comments, indentation and the space around operators here. The code around them does too. */
const shorterShaders = {
  name: 'shorter-shaders',
  transform: (code: string, id: string) =>
    /kernels[\\/](gpu|webgl|webgpu)[\\/]/.test(id)
      ? code
          .replace(/^\s+/gm, '')
          .replace(/(^|\s)\/\/.*$/gm, '')
          .replace(/ ([-+*/&|=<>]|[-+*/=<>!]=|&&|\|\||<<|>>) /g, '$1')
      : undefined,
};

/** With script tags there are no modules to import from: messages name the global. */
const globalNames = {
  name: 'global-names',
  transform: (code: string) =>
    code.includes('of tfjs-cross-entropy/layers')
      ? code.replaceAll('of tfjs-cross-entropy/layers', 'of tfjsCrossEntropy.layers')
      : undefined,
};

const shared = {
  platform: 'neutral' as const,
  target: 'es2020',
  outDir: 'dist',
  sourcemap: false,
  plugins: [shorterShaders],
};

export default defineConfig([
  {
    ...shared,
    entry: {
      index: 'src/index.ts',
      layers: 'src/layers/index.ts',
      'layers-auto': 'src/layers/auto.ts',
      graph: 'src/graph/index.ts',
    },
    format: ['esm', 'cjs'],
    outputOptions: ({ format }) => ({ chunkFileNames: `chunks/[name].${format === 'cjs' ? 'cjs' : 'js'}` }),
    dts: true,
  },
  {
    // For script tags: TensorFlow.js is the global `tf`, we are the global `tfjsCrossEntropy`.
    ...shared,
    entry: { 'tfjs-cross-entropy': 'src/global.ts' },
    format: 'iife',
    plugins: [shorterShaders, globalNames],
    globalName: 'tfjsCrossEntropy',
    minify: true,
    outputOptions: { globals: { '@tensorflow/tfjs-core': 'tf' }, entryFileNames: '[name].min.js' },
    dts: false,
    clean: false,
  },
]);
