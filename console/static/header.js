// The header's choices, remembered: the language, light or dark.
import { $, memory } from "./dom.js";
import { lang, wordsInto } from "./words.js";

const root = document.documentElement;

// Back to what the system prefers is back to following the system.
function switchTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const next = (root.dataset.theme ?? system) === "dark" ? "light" : "dark";
  if (next === system) delete root.dataset.theme;
  else root.dataset.theme = next;
  memory.set("theme", next === system ? null : next);
}

/** Wire the buttons and say everything; `render` draws what has words that came from the server. */
export function start(render) {
  const buttons = document.querySelectorAll("button[data-lang]");
  const speak = () => {
    wordsInto(document);
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.lang === lang()));
    render();
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      root.lang = button.dataset.lang;
      memory.set("lang", root.lang);
      speak();
    });
  }
  $("#theme").addEventListener("click", switchTheme);
  speak();
}
