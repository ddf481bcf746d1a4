import { readFileSync } from 'node:fs';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { describeWith } from '../support/backends';
import { launchChromium, serve } from '../support/browser';
import { PAGES, serveSite } from '../support/site';

const WIDE = { width: 1280, height: 900 };
/** Of what has one name in both languages. */
const NAMES =
  /^(tfjs-cross-entropy|tf\.losses|cpu|wasm|webgl|webgpu|mean|sum|logits|(log-)?softmax|TypeScript|PyTorch)$/i;
const NARROW = { width: 360, height: 740 };

describeWith('CHROMIUM_PATH')('the site in Chromium', () => {
  let site: Awaited<ReturnType<typeof serveSite>>;
  let browser: Browser;
  let page: Page;
  /** Console errors, exceptions, violations of the policy, and requests to other hosts. */
  let faults: string[];

  beforeAll(async () => {
    [site, browser] = await Promise.all([serveSite(), launchChromium()]);
  }, 180_000);

  const hosts: (() => Promise<void>)[] = [];

  afterAll(async () => {
    await browser?.close();
    await site?.close();
    for (const close of hosts) await close();
  });

  async function open(path: string, options: BrowserContextOptions = {}, before = () => {}): Promise<Page> {
    const address = new URL(path, site.url);
    const context = await browser.newContext({
      viewport: WIDE,
      permissions: ['clipboard-read', 'clipboard-write'],
      ...options,
    });
    page = await context.newPage();
    await page.addInitScript(before);
    page.setDefaultTimeout(20_000);
    faults = [];
    // The policy's violations are errors of the console, in workers too.
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    page.on('pageerror', (error) => faults.push(error.message));
    context.on('request', (request) => {
      const { origin } = new URL(request.url());
      if (origin !== address.origin && !request.url().startsWith('blob:')) faults.push(`asked ${request.url()}`);
    });
    await page.goto(address.href);
    await page.locator('footer').waitFor();
    return page;
  }

  afterEach(async () => {
    await page.context().close();
    expect(faults).toEqual([]);
  });

  const audit = async () => {
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  };

  /** Texts with English words alone, but for code, formulas, and names. */
  const untranslated = async () => {
    const texts = await page.evaluate(() => {
      const all = [...document.body.querySelectorAll('*')].filter(
        (element) => !element.closest('code, pre, math, script, noscript, [lang=en]'),
      );
      return all.flatMap((element) => [
        ...['aria-label', 'title', 'placeholder', 'alt'].map((name) => element.getAttribute(name)),
        ...[...element.childNodes].map((node) => (node.nodeType === Node.TEXT_NODE ? node.nodeValue : null)),
      ]);
    });
    return texts.filter((text) => text && /[a-z]{2}/i.test(text) && !/\p{Script=Han}/u.test(text) && !NAMES.test(text));
  };

  describe.each(PAGES)('%s', (path) => {
    test.each([
      ['wide, light, in English', 'en', WIDE, 'light'],
      ['narrow, dark, in Chinese', 'zh', NARROW, 'dark'],
    ] as const)(
      '%s: accessible, nothing wider than the screen',
      async (_, language, viewport, colorScheme) => {
        await open(`${path}?lang=${language}`, { viewport, colorScheme });
        await page.locator('main > :nth-child(2)').waitFor();
        expect(await page.getAttribute('html', 'lang')).toBe(language === 'zh' ? 'zh-CN' : 'en');
        if (language === 'zh') expect(await untranslated()).toEqual([]);
        expect(await audit()).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(viewport.width);
      },
      60_000,
    );

    test('with the keyboard: all that can be used is reached, in order, and seen to be; nothing moves by itself', async () => {
      await open(`${path}?lang=en`, { reducedMotion: 'reduce' });
      await page.locator('main > :nth-child(2)').waitFor();
      if (path === 'train.html') await page.locator('button.primary:enabled').waitFor();
      const usable = await page.evaluate(() => {
        const selector = 'a[href], button:enabled, input:enabled, select, textarea, [tabindex="0"]';
        const isReached = (element: Element) => !element.matches('[type=radio]:not(:checked)'); // arrow keys are for these
        const elements = [...document.querySelectorAll<HTMLElement>(selector)].filter(isReached);
        for (const [i, element] of elements.entries()) element.dataset.order = String(i);
        return elements.length;
      });
      expect(usable).toBeGreaterThan(8);
      const reached = [];
      for (let i = 0; i < usable; i++) {
        await page.keyboard.press('Tab');
        reached.push(
          await page.evaluate(() => {
            const element = document.activeElement as HTMLElement;
            const { outlineStyle, outlineWidth } = getComputedStyle(element);
            const isSeen = outlineStyle !== 'none' && outlineWidth !== '0px';
            return isSeen ? Number(element.dataset.order) : `no outline: ${element.outerHTML}`;
          }),
        );
      }
      expect(reached).toEqual([...Array(usable).keys()]);
      const moving = await page.evaluate(() =>
        [...document.querySelectorAll('*')]
          .map((element) => getComputedStyle(element))
          .filter(({ transitionDuration, animationName, scrollBehavior }) =>
            [transitionDuration !== '0s', animationName !== 'none', scrollBehavior !== 'auto'].includes(true),
          ),
      );
      expect(moving).toHaveLength(0);
    }, 60_000);

    test('carries a strict policy', () => {
      const { file } = site.files[`/${path}`] as { file: string };
      const policy = readFileSync(file, 'utf8')
        .match(/Content-Security-Policy" content="(.*?)"/)![1]
        .replaceAll('&#39;', "'");
      expect(policy).toContain("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';");
      expect(policy).not.toContain('unsafe-inline');
      expect(policy).not.toMatch(/'unsafe-eval'/);
    });
  });

  test('is watched: what is against the policy, asked of other hosts, or thrown, is a fault, and nothing of it is done', async () => {
    await open('check.html?lang=en', { serviceWorkers: 'block' });
    await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'document.title = "inline"';
      document.body.append(script);
      document.body.setAttribute('style', 'color: red');
      const image = new Image();
      image.src = 'http://127.0.0.1:9/pixel.png';
      setTimeout(() => {
        throw new Error('thrown');
      });
    });
    const seen = (pattern: RegExp) => faults.some((fault) => pattern.test(fault));
    const all = [/inline script/, /inline style/, /127\.0\.0\.1:9.*img-src|img-src.*127\.0\.0\.1:9/, /^thrown$/];
    for (let i = 0; i < 100 && !all.every(seen); i++) await page.waitForTimeout(50);
    expect(all.filter((pattern) => !seen(pattern))).toEqual([]);
    expect(await page.title()).toContain('tfjs-cross-entropy');
    expect(await page.evaluate(() => document.body.style.color)).toBe('');
    faults = [];
  }, 60_000);

  describe('explains', () => {
    const loss = () => page.locator('.loss strong');
    const expectLoss = async (value: string) => {
      await page.waitForFunction((value) => document.querySelector('.loss strong')?.textContent === value, value);
    };

    test('the article: its numbers follow what is edited, and the address keeps them', async () => {
      await open('?lang=en');
      expect(await loss().textContent()).toBe('1.0778');
      await page.getByLabel('Logit of row 1, class 1').fill('3');
      await page.getByLabel('Target of row 2').selectOption('0');
      await page.getByLabel('Reduction').selectOption('sum');
      await page.getByLabel('Weight of class 0').fill('0.5');
      await page.getByRole('button', { name: 'Classes: one more' }).click();
      const edited = await loss().textContent();
      expect(edited).not.toBe('1.0778');
      expect(page.url()).toContain('target=0%2C1%2C0');
      await page.reload();
      await page.locator('.loss strong').waitFor();
      expect(await loss().textContent()).toBe(edited);
      await page.getByRole('link', { name: '中文' }).click();
      await page.waitForURL(/lang=zh/);
      await page.locator('.loss strong').waitFor();
      expect(await loss().textContent()).toBe(edited);
      await page.getByRole('button', { name: '恢复文章中的数据' }).click();
      await expectLoss('1.0778');
    }, 60_000);

    test('its two slips', async () => {
      await open('?lang=en', { reducedMotion: 'reduce' });
      expect(await page.locator('.slip').allTextContents()).toEqual([
        expect.stringMatching(/0\.1365.*1\.3654/),
        expect.stringMatching(/1\.3654.*1\.0778/),
      ]);
      await page.getByRole('button', { name: 'Show it in the figure' }).first().click();
      await expectLoss('1.3654');
      expect(await page.locator('.loss').textContent()).toContain('not the cross-entropy of these rows');
      // Without motion the figure is there at once.
      expect(
        await page.evaluate(() => Math.abs(document.querySelector('.figure')!.getBoundingClientRect().top)),
      ).toBeLessThan(2);
      expect(await page.evaluate(() => getComputedStyle(document.querySelector('button')!).transitionDuration)).toBe(
        '0s',
      );
    }, 60_000);

    test('with the keyboard alone', async () => {
      await open('?lang=en');
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content');
      await page.keyboard.press('Enter');
      const focused = () =>
        page.evaluate(
          () => document.activeElement?.getAttribute('id') ?? document.activeElement?.getAttribute('aria-label'),
        );
      const tabTo = async (name: string) => {
        for (let i = 0; i < 40 && (await focused()) !== name; i++) await page.keyboard.press('Tab');
        expect(await focused()).toBe(name);
      };
      await tabTo('smoothing');
      for (let i = 0; i < 10; i++) await page.keyboard.press('ArrowRight');
      expect(page.url()).toContain('smoothing=0.1');
      expect(await focused()).toBe('smoothing'); // it is not drawn anew while it is being used
      await tabTo('Rows: one more');
      await page.keyboard.press('Enter');
      expect(await focused()).toBe('Rows: one more');
      await tabTo('Logit of row 3, class 0');
      await page.keyboard.press('ArrowUp');
      expect(page.url()).toContain('logits=');
      expect(await page.locator('[role=status]').textContent()).toBe(`Loss ${await loss().textContent()}`);
    }, 60_000);
  });

  const steps = async () => Number(await page.locator('.runs td').first().textContent());
  const untilStep = (step: number) =>
    page.waitForFunction((step) => Number(document.querySelector('.runs td')?.textContent) >= step, step, {
      timeout: 60_000,
    });

  test('trains, pauses, reads a drawn digit, and keeps the weights on another backend', async () => {
    await open('train.html?lang=en');
    await page.getByLabel('Side by side with tf.losses.softmaxCrossEntropy').check();
    await page.locator('button.primary:enabled').click();
    await untilStep(50);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused').waitFor();
    await page.getByRole('button', { name: 'Show a held-out digit' }).click(); // answered after the pause
    await page.getByText(/It is a \d/).waitFor();
    const paused = await steps();

    // Both losses have led to the same model, and both were measured.
    const table = await page.$$eval('.runs tr', (rows) =>
      rows.map((row) => [...row.children].map(({ textContent }) => textContent ?? '')),
    );
    const [names, , losses, accuracies, times, memory] = table.map(([, ...values]) => values);
    expect(names).toEqual(['tfjs-cross-entropy', 'tf.losses']);
    expect(Math.abs(Number(losses[0]) - Number(losses[1]))).toBeLessThan(2e-3);
    for (const accuracy of accuracies) expect(Number.parseFloat(accuracy)).toBeGreaterThan(75);
    expect(times).toEqual([expect.stringMatching(/ms$/), expect.stringMatching(/ms$/)]);
    expect(memory).toEqual([expect.stringMatching(/MB$/), expect.stringMatching(/MB$/)]);
    expect(await audit()).toEqual([]);

    // A one, drawn with the keyboard: a line from top to bottom.
    const pad = page.getByRole('application', { name: 'Drawing area' });
    await page.getByRole('button', { name: 'Wipe' }).click();
    await pad.focus();
    for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Space');
    for (let i = 0; i < 16; i++) await page.keyboard.press('ArrowDown');
    await page.getByText(/^Reads 1/).waitFor();
    await page.locator('.prediction[aria-busy=false]').waitFor(); // of the whole line

    const before = await page.locator('.digits').textContent();
    await page.getByLabel('cpu').check();
    await page.getByText('Paused').waitFor();
    // The last digits of what is shown may be rounded in another way.
    await page.waitForFunction(
      (before) => {
        const read = (text?: string | null) => (text?.match(/[\d.]+/g) ?? []).map(Number);
        const [was, is] = [read(before), read(document.querySelector('.digits')?.textContent)];
        return is.length > 0 && is.length === was.length && is.every((value, i) => Math.abs(value - was[i]) <= 1);
      },
      before,
      { timeout: 60_000 },
    );
    expect(await steps()).toBe(paused); // not a step since, and none is forgotten
    await page.getByRole('button', { name: 'Train' }).click();
    await untilStep(paused + 5);
    await page.getByRole('button', { name: 'Reset' }).click();
    await page.getByText('Ready').waitFor();
    expect(await page.locator('.runs td').allTextContents()).toEqual(Array(10).fill('–'));
  }, 120_000);

  test('its page stays free, however long a step takes', async () => {
    // A worker whose answers are held back: no time is measured, so none can be missed.
    await open('train.html?lang=en', {}, () => {
      const held: (() => void)[] = [];
      const hold = { on: false };
      const { set } = Object.getOwnPropertyDescriptor(Worker.prototype, 'onmessage')!;
      Object.defineProperty(Worker.prototype, 'onmessage', {
        set(listener: (event: MessageEvent) => void) {
          set!.call(this, (event: MessageEvent) => {
            if (hold.on) held.push(() => listener(event));
            else listener(event);
          });
        },
      });
      Object.assign(globalThis, {
        hold: () => {
          hold.on = true;
        },
        release: () => {
          hold.on = false;
          for (const answer of held.splice(0)) answer();
        },
        heldBack: () => held.length,
      });
    });
    await page.locator('button.primary:enabled').click();
    await untilStep(10);
    // Looked at once a frame.
    const frames = (count: number) =>
      page
        .evaluate((count) => Object.assign(globalThis, { framesLeft: count }), count)
        .then(() =>
          page.waitForFunction(() => (globalThis as unknown as { framesLeft: number }).framesLeft-- <= 0, undefined, {
            timeout: 60_000,
          }),
        );
    // Frames between any two reports.
    for (let i = 0; i < 5; i++) {
      await untilStep((await steps()) + 1);
      await frames(2);
    }

    await page.evaluate('hold()');
    await page.waitForFunction(() => (globalThis as unknown as { heldBack: () => number }).heldBack() > 0);
    const reached = await steps();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused').waitFor();
    const pad = (await page.getByRole('application', { name: 'Drawing area' }).boundingBox())!;
    await page.mouse.move(pad.x + pad.width / 2, pad.y + 40);
    await page.mouse.down();
    await page.mouse.move(pad.x + pad.width / 2, pad.y + pad.height - 40, { steps: 10 });
    await page.mouse.up();
    expect(
      await page.$eval('canvas.pad', (pad) => {
        const { width, height } = pad as HTMLCanvasElement;
        const { data } = (pad as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height);
        return data.some((value) => value > 0);
      }),
    ).toBe(true);
    await frames(10);
    expect(await steps()).toBe(reached);

    await page.evaluate('release()');
    await page.getByText(/^Reads \d/).waitFor();
    expect(await steps()).toBeGreaterThan(reached);
  }, 120_000);

  test('computes nothing in the page that trains', async () => {
    await open('train.html?lang=en', { serviceWorkers: 'block' });
    const scripts = await page.evaluate(async () => {
      const elements = document.querySelectorAll<HTMLScriptElement | HTMLLinkElement>(
        'script, link[rel=modulepreload]',
      );
      const addresses = [...elements].map((element) => ('src' in element ? element.src : element.href));
      return Promise.all(addresses.map(async (address) => (await fetch(address)).text()));
    });
    expect(scripts.length).toBeGreaterThan(1);
    expect(scripts.filter((script) => script.includes('registerBackend'))).toEqual([]);
    expect(scripts.join().length).toBeLessThan(150_000);
  }, 60_000);

  test('is there without a network once it was visited, in any folder of a host', async () => {
    const files = Object.entries(site.files).map(([path, file]) => [`/any/folder${path}`, file]);
    const host = await serve(Object.fromEntries(files));
    hosts.push(host.close);
    await open(`${host.url}/any/folder/?lang=en&smoothing=0.1`);
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
    await host.close();
    await page.reload();
    await page.getByText('1.0990', { exact: true }).waitFor();
    await page.getByRole('link', { name: '中文' }).click();
    await page.getByRole('link', { name: '训练' }).click();
    await page.locator('button.primary:enabled').click();
    await untilStep(10);
    for (const path of ['check.html', 'compare.html']) {
      await page.goto(`${host.url}/any/folder/${path}`);
      await page.locator('main > :nth-child(2)').waitFor();
    }
    await page.getByLabel('Shape').selectOption('128 × 10');
    for (const backend of ['wasm', 'webgl', 'webgpu']) await page.getByLabel(backend).uncheck();
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.getByText('Done.').waitFor({ timeout: 60_000 });
    expect(await page.locator('.results tr.ours').count()).toBe(1);
  }, 120_000);

  test('checks the device on all backends, and makes a report', async () => {
    await open('check.html?lang=en');
    // Software renderers compile for seconds: seven cases do to see the page work. All of them run in `test/browser`.
    await page.$eval('#extent option:last-child', (option) => {
      (option as HTMLOptionElement).value = '40';
    });
    await page.getByLabel('Cases').selectOption('40');
    await page.getByRole('button', { name: 'Check this device' }).click();
    await page.getByText(/^Done:/).waitFor({ timeout: 150_000 });
    expect(await page.locator('.subject .badge').allTextContents()).toEqual(Array(5).fill('right'));
    await page.getByRole('button', { name: 'Copy the report' }).click();
    await page.getByText('Copied').waitFor();
    const report = await page.evaluate(() => navigator.clipboard.readText());
    expect(report).toContain('against PyTorch 2.13');
    expect(report).toMatch(/\| webgl \| 7 of 7 \| 0 \| [\d.]+e-\d+ in /);
  }, 180_000);

  test('all cases on forced half floats: what disagrees has numbers that they do not have, and is shown', async () => {
    // Of the other backends a case each; all of theirs run in `test/browser`.
    await open('check.html?lang=en', {}, () => {
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (message: { subject: { halfFloats?: boolean } }) {
        postMessage.call(this, { ...message, every: message.subject.halfFloats ? 1 : 1000 });
      };
    });
    await page.getByRole('button', { name: 'Check this device' }).click();
    await page.getByText(/^Done:/).waitFor({ timeout: 280_000 });
    const report = await page.locator('#report').inputValue();
    const [, right, wrong, beyond] = report.match(/half floats \| (\d+) of 262 \| (\d+)(?: \(and (\d+) beyond)?/)!;
    expect(report.match(/.*half floats, wrong.*/g)).toBeNull();
    expect(Number(wrong)).toBe(0);
    expect(Number(right) + Number(beyond ?? 0)).toBe(262);
    expect(Number(right)).toBeGreaterThan(240);
    expect(await page.locator('.faults li').count()).toBe(Number(beyond ?? 0));
    expect(await audit()).toEqual([]);
  }, 300_000);

  test('compares, with answers checked, ratios, programs and bytes', async () => {
    await open('compare.html?lang=en');
    for (const backend of ['cpu', 'webgpu']) await page.getByLabel(backend).uncheck();
    await page.getByLabel('Shape').selectOption('128 × 10');
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.getByText('Done.').waitFor({ timeout: 100_000 });
    const tables = await page.locator('.results table').all();
    expect(tables).toHaveLength(2);
    for (const [i, table] of tables.entries()) {
      const ours = await table.locator('tr.ours').textContent();
      expect(ours).toContain('tfjs-cross-entropy');
      expect(ours).toMatch(/ ms/);
      expect(ours).toMatch(/kB/);
      expect(await table.locator('tbody tr').count()).toBe(4);
      expect(await table.textContent()).toMatch(/[\d.]+×/);
      if (i === 1) expect(await table.textContent()).toContain('Programs');
    }
    expect(await audit()).toEqual([]);
    await page.setViewportSize(NARROW);
    const beyond = await page.$$eval('.scroll', (all) => all.map((table) => table.scrollWidth - table.clientWidth));
    expect(beyond).toEqual([0, 0]);
    expect(await audit()).toEqual([]);
    expect(await page.getByRole('table').first().getByRole('row').first().getByRole('columnheader').count()).toBe(4);
  }, 150_000);
});
