import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Kernels } from '../../ops/contracts';
import { quads, type WebGLBackend } from './backend';
import { Rows } from './rows';

type WebGL = Kernels<WebGLBackend>;

const RECORD = 'vec4 recordOf(int row) { return vec4(maximum, sumExp * SUM_SCALE, sums); }';

export const logSoftmax: WebGL['LogSoftmaxDim'] = ({ x }, { dim }, backend) =>
  reduceAndMap(new Rows(backend, x.shape, dim), { x }, { softmax: true }, [
    RECORD,
    `Lane laneAt(int row, Lane classes, Lane x) {
      vec4 record = recordTexel(row);
      return x - record.x - logOf(record.y / SUM_SCALE);
    }`,
  ]);

export const logSoftmaxGrad: WebGL['LogSoftmaxDimGrad'] = ({ dy, x }, { dim }, backend) =>
  reduceAndMap(new Rows(backend, x.shape, dim), { x, dy }, { softmax: true, addends: true }, [
    `void addends(Lane classes, Lane x, Lane dy, out Lane first, out Lane second) {
      first = dy;
      second = Lane(0.);
    }
    ${RECORD}`,
    `Lane laneAt(int row, Lane classes, Lane x, Lane dy) {
      vec4 record = recordTexel(row);
      return dy - record.z / (record.y / SUM_SCALE) * expOf(x - record.x);
    }`,
  ]);

export const softmax: WebGL['SoftmaxDim'] = ({ x }, { dim }, backend) =>
  reduceAndMap(new Rows(backend, x.shape, dim), { x }, { softmax: true }, [
    RECORD,
    `Lane laneAt(int row, Lane classes, Lane x) {
      vec4 record = recordTexel(row);
      return expOf(x - record.x) / (record.y / SUM_SCALE);
    }`,
  ]);

export const softmaxGrad: WebGL['SoftmaxDimGrad'] = ({ dy, y }, { dim }, backend) =>
  reduceAndMap(new Rows(backend, y.shape, dim), { dy, y }, { addends: true }, [
    `void addends(Lane classes, Lane dy, Lane y, out Lane first, out Lane second) {
      first = dy * y;
      second = Lane(0.);
    }
    ${RECORD}`,
    'Lane laneAt(int row, Lane classes, Lane dy, Lane y) { return y * (dy - recordTexel(row).z); }',
  ]);

/** One pass over the rows for what they have in common, and another one for their elements. */
function reduceAndMap(
  rows: Rows,
  dense: Record<string, TensorInfo>,
  along: { softmax?: boolean; addends?: boolean },
  [reduce, map]: [reduce: string, map: string],
): TensorInfo {
  const record = rows.reduce(dense, along, { code: reduce });
  const result = rows.map(dense, { inputs: { record: quads(record) }, code: map });
  rows.backend.disposeIntermediateTensorInfo(record);
  return result;
}
