/** What the site is made of, and a name for just these contents: the build puts both in; see `vite.config.ts`. */
const FILES = __FILES__;
const VERSION = __VERSION__;

/** Other sites of the same host have caches too: those of this one are named by where it is. */
const PREFIX = `tfjs-cross-entropy at ${registration.scope}: `;
const CACHE = PREFIX + VERSION;
const addressOf = (file) => new URL(file, registration.scope).href;
/** Their names change with their contents. */
const FIXED = new Set(FILES.filter((file) => file.startsWith('assets/')).map(addressOf));

// Who has been here once has all of the site.
addEventListener('install', (event) => event.waitUntil(Promise.all(FILES.map(fetchAndKeep))));

async function fetchAndKeep(file) {
  const response = await fetch(addressOf(file), { cache: 'no-cache' });
  if (!response.ok) throw new Error(`${file}: ${response.status}`);
  await keep(addressOf(file), response);
}

addEventListener('activate', (event) => event.waitUntil(Promise.all([forgetOlder(), clients.claim()])));

async function forgetOlder() {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)),
  );
}

addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  if (method === 'GET' && url.startsWith(registration.scope)) event.respondWith(answer(event));
});

/** From the network where there is one, so that nobody sees an old page; the reference's pages are kept as they are read. */
async function answer(event) {
  const { request } = event;
  const [address] = request.url.split(/[?#]/); // pages have their settings in it
  const kept = await (await caches.open(CACHE)).match(address);
  if (kept && FIXED.has(address)) return kept;
  try {
    const response = await fetch(request);
    if (response.ok) event.waitUntil(keep(address, response.clone()));
    return response;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

/** A copy, since what was redirected may not answer for a page. */
async function keep(address, response) {
  await (await caches.open(CACHE)).put(address, new Response(response.body, response));
}
