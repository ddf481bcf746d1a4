import { h } from './dom';
import icon from './icon.svg';
import { language, t } from './messages';

const PAGES = { explain: './', train: './train.html', check: './check.html', compare: './compare.html' } as const;
export type PageName = keyof typeof PAGES;

/** What all pages have: the way to the others, the two languages, and a heading. Gives the place for the contents. */
export function layPage(name: PageName, title: string, ...lead: string[]): HTMLElement {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  document.title = `${title} · tfjs-cross-entropy`;
  const address = (path: string) => `${path}?lang=${language}`;
  const links = Object.entries(PAGES).map(([page, path]) =>
    h('a', { href: address(path), 'aria-current': page === name ? 'page' : false }, t.nav[page as PageName]),
  );
  const main = h('main', { id: 'content', tabindex: '-1' });
  document.body.append(
    h('a', { class: 'skip', href: '#content' }, t.nav.skip),
    h(
      'header',
      { class: 'site' },
      h(
        'a',
        { class: 'brand', href: address('./') },
        h('img', { src: icon, alt: '', width: 26, height: 26 }),
        'tfjs-cross-entropy',
      ),
      h('nav', { 'aria-label': t.nav.pages }, ...links, h('a', { href: './reference/' }, t.nav.reference)),
      languageLink(),
    ),
    main,
    h('footer', { class: 'site' }, h('p', {}, t.footer)),
  );
  main.append(h('div', { class: 'title' }, h('h1', {}, title), ...lead.map((text) => h('p', { class: 'lead' }, text))));
  keepForOffline();
  return main;
}

/** From the next visit on, the site needs no network; where the browser forbids that, it needs one as before. */
function keepForOffline(): void {
  if (import.meta.env.PROD) navigator.serviceWorker?.register('./service-worker.js').catch(() => {});
}

/** To the same page, as it is now, in the other language. */
function languageLink(): HTMLAnchorElement {
  const [code, name, tag] = language === 'en' ? ['zh', '中文', 'zh-CN'] : ['en', 'English', 'en'];
  const link = h('a', { class: 'language', lang: tag, hreflang: tag }, name);
  const aim = () => {
    const query = new URLSearchParams(location.search);
    query.set('lang', code);
    link.href = `${location.pathname}?${query}`;
  };
  link.addEventListener('pointerenter', aim);
  link.addEventListener('focus', aim);
  link.addEventListener('click', aim);
  aim();
  return link;
}
