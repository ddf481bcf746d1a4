import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Converter, JSX, Renderer } from 'typedoc';

/** What typedoc has no options for. It is pinned: where its output is not what it was, this throws. */
export function load(app) {
  nameDocuments(app);
  obeyPolicy(app);
}

/** Documents are named by their heading, not by their file; and the first page has its title once. */
function nameDocuments({ converter }) {
  converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
    [, document.name] = part(document.content[0].text, /^# (.*)\n/);
  });
  converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project: { readme } }) => {
    const [heading] = part(readme[0].text, /^# .*\n/);
    readme[0].text = readme[0].text.slice(heading.length);
  });
}

/** No script and no style but the reference's own files, as on the other pages of the site. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'";

/** Makes files of what typedoc writes into pages. */
function obeyPolicy({ renderer }) {
  renderer.hooks.on('head.begin', () =>
    JSX.createElement('meta', { 'http-equiv': 'Content-Security-Policy', content: POLICY }),
  );
  let theme;
  renderer.on(Renderer.EVENT_END_PAGE, (page) => {
    const [, base] = part(page.contents, /data-base="([^"]*)"/);
    const [element, code] = part(page.contents, /<script>(document\.documentElement\.dataset\.theme[^<]*)<\/script>/);
    page.contents = page.contents.replace(element, `<script src="${base}assets/theme.js"></script>`);
    theme = code;
  });
  renderer.on(Renderer.EVENT_END, ({ outputDirectory }) => {
    const assets = join(outputDirectory, 'assets');
    writeFileSync(join(assets, 'theme.js'), theme);
    // The style of the filters of members, of which there are none.
    const main = readFileSync(join(assets, 'main.js'), 'utf8');
    const [connected, style] = part(main, /document\.head\.appendChild\((document\.createElement\("style"\))\)/);
    writeFileSync(join(assets, 'main.js'), main.replace(connected, style));
  });
}

function part(text, pattern) {
  const match = text.match(pattern);
  if (!match) throw new Error(`Expected ${pattern} in: ${text.slice(0, 200)}`);
  return match;
}
