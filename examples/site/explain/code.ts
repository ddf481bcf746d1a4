import { h } from '../dom';
import { decimals } from '../format';
import type { Settings } from './settings';

/** What the figure shows, as code: here and in PyTorch. */
export function codeOf(settings: Settings, loss: number): HTMLElement[] {
  const comment = decimals(loss).replace('−', '-');
  return [block('TypeScript', typescript(settings, comment)), block('PyTorch', pytorch(settings, comment))];
}

const block = (title: string, code: string) =>
  h(
    'figure',
    { class: 'code' },
    h('figcaption', {}, title),
    h('pre', { tabindex: '0', 'aria-label': title }, h('code', {}, code)),
  );

/** One a line, where there are several. */
const lines = (options: readonly unknown[]) => `\n${options.map((option) => `  ${option},\n`).join('')}`;

const matrix = ({ logits }: Settings) => `[\n${logits.map((row) => `  [${row.join(', ')}],\n`).join('')}]`;

export function typescript(settings: Settings, loss: string): string {
  const { target, dim, labelSmoothing, weight, ignoreIndex, reduction } = settings;
  const options = [
    weight.some((w) => w !== 1) && `weight: [${weight.join(', ')}]`,
    ignoreIndex !== null && `ignoreIndex: ${ignoreIndex}`,
    reduction !== 'mean' && `reduction: '${reduction}'`,
    dim === 1 && labelSmoothing > 0 && `labelSmoothing: ${labelSmoothing}`,
  ].filter(Boolean);
  const given = options.length > 1 ? `{${lines(options)}}` : options.length > 0 ? `{ ${options[0]} }` : '';
  const [names, call] =
    dim === 1
      ? ['CrossEntropyLoss', `new CrossEntropyLoss(${given}).forward(x, t)`]
      : ['LogSoftmax, NLLLoss', `new NLLLoss(${given}).forward(new LogSoftmax(0).forward(x), t)`];
  return [
    "import * as tf from '@tensorflow/tfjs';",
    `import { ${names} } from 'tfjs-cross-entropy';`,
    '',
    `const x = tf.tensor2d(${matrix(settings)});`,
    `const t = tf.tensor1d([${target.join(', ')}], 'int32');`,
    `${call}.print(); // ${loss}`,
  ].join('\n');
}

export function pytorch(settings: Settings, loss: string): string {
  const { target, dim, labelSmoothing, weight, ignoreIndex, reduction } = settings;
  const options = [
    weight.some((w) => w !== 1) && `weight=torch.tensor([${weight.map(float).join(', ')}])`,
    ignoreIndex !== null && `ignore_index=${ignoreIndex}`,
    reduction !== 'mean' && `reduction='${reduction}'`,
    dim === 1 && labelSmoothing > 0 && `label_smoothing=${labelSmoothing}`,
  ].filter(Boolean);
  const given = options.length > 1 ? lines(options) : options.join();
  const call = dim === 1 ? `nn.CrossEntropyLoss(${given})(x, t)` : `nn.NLLLoss(${given})(nn.LogSoftmax(dim=0)(x), t)`;
  return [
    'import torch',
    'from torch import nn',
    '',
    `x = torch.tensor(${matrix(settings)}, dtype=torch.float32)`,
    `t = torch.tensor([${target.join(', ')}])`,
    `print(${call})  # ${loss}`,
  ].join('\n');
}

const float = (x: number) => (Number.isInteger(x) ? `${x}.0` : String(x));
