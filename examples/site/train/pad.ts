import { PIXELS, SIDE } from '../../mnist/data';
import { h } from '../dom';
import { t } from '../messages';

/** Pixels of the drawing area each way, and of the pen. */
const SIZE = 280;
const PEN = 22;
/** Pixels that an arrow key moves the pen. */
const KEY_STEP = 10;

/** An area to draw in, with a pointer or with the keyboard. `drawn` is called with the ink, pixels from 0 to 1. */
export function drawingPad(drawn: (ink: Float32Array) => void) {
  const canvas = h('canvas', {
    class: 'pad',
    width: SIZE,
    height: SIZE,
    tabindex: '0',
    role: 'application',
    'aria-label': t.train.pad,
    'aria-describedby': 'pad-help',
  });
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  let pen = { x: SIZE / 2, y: SIZE / 2 };
  let down = false;

  const ink = () => {
    const { data } = context.getImageData(0, 0, SIZE, SIZE);
    return Float32Array.from({ length: SIZE * SIZE }, (_, i) => data[4 * i + 3] / 255);
  };
  const stroke = (to: { x: number; y: number }) => {
    context.lineWidth = PEN;
    context.lineCap = 'round';
    context.strokeStyle = getComputedStyle(canvas).color;
    context.beginPath();
    context.moveTo(pen.x, pen.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    pen = to;
  };
  const wipe = () => {
    context.clearRect(0, 0, SIZE, SIZE);
    drawn(ink());
  };
  const place = ({ offsetX, offsetY }: PointerEvent) => ({
    x: (offsetX / canvas.clientWidth) * SIZE,
    y: (offsetY / canvas.clientHeight) * SIZE,
  });

  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    down = true;
    pen = place(event);
    stroke(pen);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (down && canvas.hasPointerCapture(event.pointerId)) stroke(place(event));
  });
  canvas.addEventListener('pointerup', () => {
    down = false;
    drawn(ink());
  });
  canvas.addEventListener('keydown', (event) => {
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const move = moves[event.key];
    if (move) {
      const clamp = (value: number) => Math.min(SIZE - PEN / 2, Math.max(PEN / 2, value));
      const to = { x: clamp(pen.x + move[0] * KEY_STEP), y: clamp(pen.y + move[1] * KEY_STEP) };
      if (down) {
        stroke(to);
        drawn(ink());
      } else pen = to;
    } else if (event.key === ' ') {
      down = !down;
      if (down) {
        stroke(pen);
        drawn(ink());
      }
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      down = false;
      wipe();
    } else return;
    event.preventDefault();
  });
  canvas.addEventListener('blur', () => {
    down = false;
  });

  /** Shows one of MNIST's digits. */
  const show = (image: Float32Array) => {
    context.clearRect(0, 0, SIZE, SIZE);
    context.fillStyle = getComputedStyle(canvas).color;
    const pixel = SIZE / SIDE;
    for (let i = 0; i < PIXELS; i++) {
      context.globalAlpha = image[i];
      context.fillRect((i % SIDE) * pixel, Math.floor(i / SIDE) * pixel, pixel, pixel);
    }
    context.globalAlpha = 1;
  };
  return { canvas, wipe, show };
}
