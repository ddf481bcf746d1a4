type Child = Node | string | number | null | undefined | false;
type Props = Record<string, unknown>;

/** Sets attributes; functions are listeners (`onclick`), `true` and `false` say whether an attribute is there. */
function create<E extends Element>(element: E, props: Props, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) {
      element.append(child instanceof Node ? child : String(child));
    }
  }
  return element;
}

/** An HTML element. No page of the site sets `innerHTML` or a `style` attribute: its policy forbids inline styles. */
export const h = <K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]) =>
  create(document.createElement(tag), props, children);

export const svg = <K extends keyof SVGElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]) =>
  create(document.createElementNS('http://www.w3.org/2000/svg', tag), props, children);

export const math = (tag: string, props: Props = {}, ...children: Child[]) =>
  create(document.createElementNS('http://www.w3.org/1998/Math/MathML', tag), props, children);
