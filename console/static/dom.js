// The page's only way to make elements. Text always goes in as text nodes, never as HTML.

/** Make an element. `onclick` and friends take functions; `dataset` an object; null and false are left out. */
export function h(tag, attrs, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attrs ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...solid(children));
  return element;
}

/** Replace what is in `parent`; null, false and "" among the children are left out. */
export function fill(parent, ...children) {
  parent.replaceChildren(...solid(children));
}

function solid(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== "");
}

export const $ = (selector, root = document) => root.querySelector(selector);

/**
 * Bring the children of `parent` in line with `items`, touching only what changed, so that scroll,
 * focus, folds and selected text survive a refresh. Returns the keys that were not there before.
 */
export function reconcile(parent, items, { key, signature, render }) {
  const had = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const focusKey = focused?.closest("[data-key]")?.dataset.key;
  const fresh = [];
  let place = parent.firstElementChild;
  for (const item of items) {
    const id = String(key(item));
    const mark = signature(item);
    let node = had.get(id);
    if (!node) fresh.push(id);
    if (!node || node.signature !== mark) {
      const made = render(item);
      made.dataset.key = id;
      made.signature = mark;
      if (node) {
        if (node === place) place = made;
        keepFolds(node, made);
        node.replaceWith(made);
      }
      node = made;
    }
    had.delete(id);
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
  for (const gone of had.values()) gone.remove();
  if (focused && document.activeElement !== focused) {
    const again = [...parent.children].find((child) => child.dataset.key === focusKey);
    (again?.matches("a, button") ? again : again && $("a, button", again))?.focus({ preventScroll: true });
  }
  return fresh;
}

/** What was unfolded stays unfolded: `<details data-fold="…">` is matched by its name. */
export function keepFolds(before, after) {
  const open = new Set([...before.querySelectorAll("details[open][data-fold]")].map((fold) => fold.dataset.fold));
  for (const fold of after.querySelectorAll("details[data-fold]")) {
    if (open.has(fold.dataset.fold)) fold.open = true;
  }
}

/** Run `work` now; calls that come meanwhile are answered by one more run, `gap` ms later. */
export function paced(work, gap = 250) {
  let running = false;
  let again = false;
  return async function ask() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    do {
      again = false;
      try {
        await work();
      } catch (error) {
        console.error(error); // one answer that cannot be shown must not stop the next
      }
      await new Promise((done) => setTimeout(done, gap));
    } while (again);
    running = false;
  };
}

/** localStorage that may be switched off. */
export const memory = {
  get(name) {
    try { return localStorage.getItem(`astreinte.${name}`); } catch { return null; }
  },
  set(name, value) {
    try {
      if (value === null) localStorage.removeItem(`astreinte.${name}`);
      else localStorage.setItem(`astreinte.${name}`, value);
    } catch { /* then it is not remembered */ }
  },
};
