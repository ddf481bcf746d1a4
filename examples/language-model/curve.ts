import * as Plot from '@observablehq/plot';
import { JSDOM } from 'jsdom';
import type { Point } from './train';

const BLUE = '#2563eb';
const ORANGE = '#ea580c';
const GREY = '#666';

/** The learning curve as a picture (SVG). It begins with what the frequencies of the tokens tell by themselves. */
export function learningCurve(points: readonly Point[], title: string): string {
  const { window } = new JSDOM();
  const trained = points.filter(({ train }) => train !== undefined);
  const line = (data: readonly Point[], y: 'train' | 'heldOut', stroke: string) =>
    Plot.lineY(data, { x: 'step', y, stroke, strokeWidth: 2, marker: 'dot' });
  const legend = (text: string, fill: string, dy: number) =>
    Plot.text([text], { frameAnchor: 'top-right', fill, dx: -8, dy, fontWeight: 'bold' });
  const plot = Plot.plot({
    document: window.document,
    width: 720,
    height: 400,
    marginTop: 64,
    marginLeft: 72,
    marginRight: 24,
    marginBottom: 44,
    style: { background: 'white', fontSize: '12px', fontFamily: 'system-ui, sans-serif' },
    x: { label: 'steps', labelAnchor: 'center', labelArrow: 'none' },
    y: { label: 'perplexity', labelAnchor: 'center', labelArrow: 'none', tickFormat: ',d', grid: true, nice: true },
    marks: [
      Plot.ruleY([points[0].heldOut], { stroke: GREY, strokeDasharray: '4 3' }),
      Plot.text([points[0].heldOut], {
        y: (value) => value,
        text: ['token frequencies alone'],
        frameAnchor: 'left',
        dx: 8,
        dy: -8,
        fill: GREY,
      }),
      line(trained, 'train', ORANGE),
      line(points, 'heldOut', BLUE),
      legend('training', ORANGE, -48),
      legend('held-out chapters', BLUE, -30),
      Plot.text([title], { frameAnchor: 'top-left', dx: -60, dy: -48, fontSize: 18, fontWeight: 'bold' }),
    ],
  });
  return new window.XMLSerializer().serializeToString(plot);
}
