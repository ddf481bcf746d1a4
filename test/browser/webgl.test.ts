import { suitesInChromium } from '../support/in-chromium';

suitesInChromium(['cpu', 'webgl']);
