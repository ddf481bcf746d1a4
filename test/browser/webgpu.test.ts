import { suitesInChromium } from '../support/in-chromium';

suitesInChromium(['wasm', 'webgpu']);
