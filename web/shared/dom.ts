// Makes and changes elements. Text from anywhere only ever becomes a text node or an attribute that can't
// run; nothing here reads HTML, and nothing else in these pages does.

type Child = Node | string;

/** Attributes that carry no code and lead nowhere. */
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

const SVG = "http://www.w3.org/2000/svg";

/** Makes an element; `true` sets an attribute without a value, `false` and `undefined` leave it out. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for a drawing. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * Finds an element of the page by its id.
 *
 * @throws {TypeError} if the page has none of this kind
 */
export function byId<T extends Element>(id: string, kind: { new (): T }): T {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new TypeError(`Cannot find "${id}": the page has no ${kind.name} of that id`);
}

/** Sets the text of an element, and touches nothing if it says that already. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows or hides. */
export function show(element: HTMLElement, isShown: boolean): void {
  if (element.hidden === isShown) element.hidden = !isShown;
}

/** Adds or removes elements at the end until there are `count`; what stays keeps its focus and selection. */
export function resize(parent: Element, count: number, make: () => Element): HTMLCollection {
  while (parent.children.length > count) parent.lastElementChild!.remove();
  while (parent.children.length < count) parent.append(make());
  return parent.children;
}

function filled<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children);
  return element;
}
