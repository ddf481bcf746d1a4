import * as Plot from '@observablehq/plot';
import { JSDOM } from 'jsdom';
import type { Epoch } from './train';

const PANEL = { width: 460, height: 340, marginTop: 28, marginLeft: 56, marginRight: 32, marginBottom: 44 };
const HEADER = 48;
const BLUE = '#2563eb';
const ORANGE = '#ea580c';
const FONT = 'system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif';

/** The learning curve as a picture (SVG): the losses on the left, the held-out accuracy on the right. */
export function learningCurve(epochs: readonly Epoch[], title: string): string {
  const { window } = new JSDOM();
  const { document } = window;
  const points = epochs.map(({ number, trainLoss, heldOut }) => ({ epoch: number, trainLoss, ...heldOut }));
  const every = Math.ceil(points.length / 10); // at most ten ticks, all of them whole epochs
  const lowest = Math.floor(100 * Math.min(...points.map(({ accuracy }) => accuracy)));
  const common = {
    ...PANEL,
    document,
    x: { label: 'epoch', ticks: points.map(({ epoch }) => epoch).filter((n) => n % every === 0), tickFormat: 'd' },
  };
  const line = (y: string, stroke: string) =>
    Plot.lineY(points, { x: 'epoch', y, stroke, strokeWidth: 2, marker: 'dot' });
  const legend = (text: string, fill: string, dy: number) =>
    Plot.text([text], { frameAnchor: 'top-right', fill, dy, fontWeight: 'bold' });

  const loss = Plot.plot({
    ...common,
    y: { label: 'cross-entropy loss (log scale)', type: 'log', tickFormat: '~g', grid: true },
    marks: [
      line('trainLoss', ORANGE),
      line('loss', BLUE),
      legend('training, on moved digits', ORANGE, 0),
      legend('held-out', BLUE, 16),
    ],
  });
  const accuracy = Plot.plot({
    ...common,
    y: { label: 'held-out accuracy (%)', percent: true, domain: [lowest, 100], grid: true },
    marks: [line('accuracy', BLUE)],
  });

  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const [width, height] = [2 * PANEL.width, HEADER + PANEL.height];
  setAttributes(svg, { width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': FONT });
  svg.innerHTML = `<rect width="100%" height="100%" fill="white"/><text x="20" y="30" font-size="18" font-weight="bold"></text>`;
  svg.lastElementChild!.textContent = title;
  [loss, accuracy].forEach((panel, i) => {
    panel.querySelector('style')?.remove(); // meant for a page: it would stretch a panel within a picture
    setAttributes(panel, { x: i * PANEL.width, y: HEADER, 'font-family': FONT, 'font-size': 12 });
    svg.append(panel);
  });
  return new window.XMLSerializer().serializeToString(svg);
}

function setAttributes(element: Element, attributes: Record<string, string | number>): void {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}
