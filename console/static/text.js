// A message's text with what was found in it, and with [1] [2] as chips. Text nodes only.
import { h } from "./dom.js";
import { t } from "./words.js";

/** The text in pieces; each piece that a finding covers can be lit with `light`. Offsets count code points, as Python does. */
export function marked(text, findings = []) {
  const found = findings.map((one, index) => ({ ...one, index })).filter((one) => one.end > one.start);
  if (found.length === 0) return [text];
  const points = Array.from(text);
  const cuts = [...new Set([0, points.length, ...found.flatMap((one) => [one.start, one.end])])]
    .filter((at) => at >= 0 && at <= points.length)
    .sort((a, b) => a - b);
  return cuts.slice(1).map((end, i) => {
    const start = cuts[i];
    const piece = points.slice(start, end).join("");
    const over = found.filter((one) => one.start <= start && one.end >= end).map((one) => one.index);
    return over.length ? h("mark", { class: "found", dataset: { found: over.join(" ") } }, piece) : piece;
  });
}

/** Light the pieces of finding `index` in `root` (a message), or none. */
export function light(root, index) {
  for (const piece of root?.querySelectorAll("mark[data-found]") ?? []) {
    piece.classList.toggle("lit", piece.dataset.found.split(" ").includes(String(index)));
  }
  root?.querySelector("mark.lit")?.scrollIntoView({ block: "nearest" });
}

/** A reply's text, its "[1]" turned into chips where there is such a source. */
export function withChips(text, sources, chosen) {
  return text.split(/(\[\d{1,2}\])/).map((piece) => {
    const number = /^\[(\d{1,2})\]$/.exec(piece)?.[1];
    return number && sources[number - 1] ? chip(Number(number), sources[number - 1], chosen) : piece;
  });
}

export function chip(number, article, chosen) {
  return h("button", {
    type: "button", class: "chip", title: article, "aria-label": t("source.light", { n: number }),
    dataset: { testid: "source-chip", article }, onclick: () => chosen(article),
  }, `[${number}]`);
}
