/**
 * The path of a Chromium or Chrome on this machine, or undefined if there is none.
 *
 * Looks at CHROMIUM_PATH (which, if set, is the only answer), PATH, the usual places of macOS and Windows,
 * and Playwright's cache.
 */
export function findChromium(): string | undefined;
