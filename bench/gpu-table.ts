// The table in docs/performance.md of a real GPU, from what a run on one has left: npx tsx bench/gpu-table.ts bench/gpu-nvidia-h200.json
import { readFileSync } from 'node:fs';
import { number, table } from './report';

interface GpuReport {
  readonly date: string;
  readonly device: string;
  readonly runtime: string;
  readonly webgpu: {
    readonly wrong: string[];
    /** Read and written by a copy from buffer to buffer, and by a shader that copies 1 GB. */
    readonly copyGBs: number;
    readonly shaderCopyGBs: number;
    readonly rows: GpuRow[];
  };
  readonly pytorch: { readonly version: string; readonly milliseconds: Record<string, { readonly eager: number }> };
}

/** Milliseconds a step of value and gradient: by the clock, and by the GPU's own timestamps. */
interface GpuRow {
  readonly shape: string;
  readonly oursMs: number;
  readonly oursKernelMs: number;
  readonly oursPrograms: number;
  /** The first step of all, which compiles the shaders. */
  readonly oursFirstMs: number;
  readonly 'tf.lossesMs': number;
}

/** Bytes of an element that a step must move at least: one read, one write. */
const LEAST_BYTES = 8;

export function gpuTable({ date, device, runtime, webgpu, pytorch }: GpuReport): string {
  const lines = webgpu.rows.map((row) => {
    const sizes = row.shape.split('x').map(Number);
    const copy = (LEAST_BYTES * sizes.reduce((a, b) => a * b, 1)) / (webgpu.shaderCopyGBs * 1e6);
    const { eager } = pytorch.milliseconds[row.shape];
    return [
      `(${sizes.join(', ')})`,
      ...[row.oursMs, row.oursKernelMs].map(number),
      String(row.oursPrograms),
      ...[row.oursFirstMs, row['tf.lossesMs'] / row.oursMs, row.oursMs / eager].map(number),
      `${Math.round((100 * copy) / row.oursKernelMs)}%`,
    ];
  });
  const steps = ['ms', 'ms on the GPU', 'dispatches', 'first step, ms'];
  const head = ['', ...steps, 'tf.losses / ours', 'ours / PyTorch', 'of a copy, on the GPU'];
  return [
    `${date}, ${device}, ${runtime}, PyTorch ${pytorch.version} eager; a copy in a shader moves ${number(webgpu.shaderCopyGBs)} GB/s`,
    ...(webgpu.wrong.length > 0 ? [`WRONG ANSWERS: ${webgpu.wrong.join('; ')}`] : []),
    table(head, lines, '| ', ' | ', ' |'),
  ].join('\n\n');
}

if (process.argv[2]) console.log(gpuTable(JSON.parse(readFileSync(process.argv[2], 'utf8'))));
