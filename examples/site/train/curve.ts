import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { h } from '../dom';
import type { LossName } from './messages';

/** A curve over the steps, a line for each loss, drawn as it grows. */
export interface Curve {
  readonly element: HTMLElement;
  add(step: number, values: Partial<Record<LossName, number>>): void;
  clear(): void;
  /** What the curve shows, for those who do not see it. */
  describe(text: string): void;
}

const HEIGHT = 200;
const NAMES: readonly LossName[] = ['ours', 'theirs'];

export function curve(
  title: string,
  labels: Record<LossName, string>,
  format: (value: number) => string,
  most?: number,
): Curve {
  const canvas = h('div', { class: 'plot', role: 'img', 'aria-label': title });
  const element = h('figure', { class: 'curve' }, h('figcaption', {}, title), canvas);
  let data: [number[], (number | null)[], (number | null)[]] = [[], [], []];
  let plot: uPlot | undefined;

  const draw = () => {
    plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const color = (name: string) => style.getPropertyValue(name).trim();
    const font = `12px ${color('--sans')}`;
    const axis = {
      stroke: color('--muted'),
      font,
      grid: { stroke: color('--line'), width: 1 },
      ticks: { show: false },
    };
    const line = (name: LossName) => ({
      label: labels[name],
      stroke: color(name === 'ours' ? '--ours' : '--theirs'),
      width: 2,
      dash: name === 'theirs' ? [6, 4] : undefined,
      spanGaps: true,
      points: { show: false },
    });
    plot = new uPlot(
      {
        width: Math.max(200, canvas.clientWidth),
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { time: false },
          y: {
            range: (_, least, largest) => [Math.min(0, least ?? 0), most ?? (largest === null ? 2.5 : 1.05 * largest)],
          },
        },
        axes: [
          { ...axis, size: 30 },
          { ...axis, size: 56, values: (_, ticks) => ticks.map(format) },
        ],
        series: [{}, line('ours'), line('theirs')],
      },
      data as uPlot.AlignedData,
      canvas,
    );
  };
  // Once a frame at most, however fast values come: canvas work that piles up would hold back all frames.
  let isDue = false;
  const drawSoon = () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      plot?.setData(data as uPlot.AlignedData);
    });
  };
  new ResizeObserver(draw).observe(canvas);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);

  return {
    element,
    add(step, values) {
      if (NAMES.every((name) => values[name] === undefined)) return;
      data[0].push(step);
      data[1].push(values.ours ?? null);
      data[2].push(values.theirs ?? null);
      drawSoon();
    },
    clear() {
      data = [[], [], []];
      drawSoon();
    },
    describe: (text) => canvas.setAttribute('aria-label', text),
  };
}
