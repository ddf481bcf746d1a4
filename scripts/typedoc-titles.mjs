import { Converter } from 'typedoc';

/** Pages have the name of their heading, where typedoc would take their file's and leave the heading below it. */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, page) => {
    const [start] = page.content;
    const [heading, title] = start.text.match(/^# (.*)\n/);
    page.name = title;
    start.text = start.text.slice(heading.length);
  });
}
