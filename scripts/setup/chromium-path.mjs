import { existsSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

/** @returns {string | undefined} */
export function findChromium() {
  // Who names one wants that one: falling back silently would test another browser.
  const named = process.env.CHROMIUM_PATH;
  const candidates = named ? [named] : [...onPath(), ...usualPlaces(), ...inPlaywrightCache()];
  return candidates.find(isFile);
}

function onPath() {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name + suffix)));
}

function usualPlaces() {
  if (process.platform === 'darwin') {
    return ['/', homedir()].flatMap((root) =>
      ['Chromium', 'Google Chrome'].map((app) => join(root, 'Applications', `${app}.app`, 'Contents', 'MacOS', app)),
    );
  }
  if (process.platform === 'win32') {
    const { LOCALAPPDATA, PROGRAMFILES, 'PROGRAMFILES(X86)': PROGRAMFILES_X86 } = process.env;
    return [PROGRAMFILES, PROGRAMFILES_X86, LOCALAPPDATA]
      .filter(Boolean)
      .flatMap((root) =>
        ['Chromium', join('Google', 'Chrome')].map((app) => join(root, app, 'Application', 'chrome.exe')),
      );
  }
  return [];
}

function inPlaywrightCache() {
  const roots = {
    darwin: join(homedir(), 'Library', 'Caches'),
    win32: process.env.LOCALAPPDATA ?? homedir(),
    linux: process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
  };
  const cache = process.env.PLAYWRIGHT_BROWSERS_PATH || join(roots[process.platform] ?? homedir(), 'ms-playwright');
  const executables = {
    darwin: ['Chromium', 'Google Chrome for Testing'].map((app) => join(`${app}.app`, 'Contents', 'MacOS', app)),
    win32: ['chrome.exe'],
    linux: ['chrome'],
  }[process.platform];
  // chromium-1187/chrome-linux/chrome: the newest revision first.
  return entries(cache)
    .filter((name) => /^chromium-\d+$/.test(name))
    .sort((a, b) => Number(b.split('-')[1]) - Number(a.split('-')[1]))
    .flatMap((name) => entries(join(cache, name)).map((build) => join(cache, name, build)))
    .flatMap((folder) => (executables ?? []).map((executable) => join(folder, executable)));
}

function entries(folder) {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function isFile(path) {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
