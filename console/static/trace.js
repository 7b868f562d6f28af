// Over the middle: one message, everything that happened to it, as a line of dots.
import { getTrace } from "./api.js";
import { STAGES, up } from "./conversation.js";
import { $, fill, h, paced } from "./dom.js";
import { go, where } from "./route.js";
import { timeTag } from "./time.js";
import { duration, lang, name, refusal, t } from "./words.js";

const panel = $("#trace");
let asked = "";
let known = null;
let failure = null;
let chosen = ""; // the event that is open
let before = null; // what had the focus before the panel opened
let signature = "";
let turn = 0; // of several questions under way only the last is listened to

export const refresh = paced(load);

async function load() {
  const id = asked;
  if (!id) return;
  const mine = ++turn;
  try {
    const answer = await getTrace(id);
    if (id !== asked || mine !== turn) return;
    known = answer;
    failure = null;
  } catch (error) {
    if (id !== asked || mine !== turn) return;
    failure = error;
  }
  render();
}

/** Is this the trace on show? */
export const shows = (trace) => Boolean(asked) && asked === trace;
export const stale = () => Boolean(asked) && failure !== null && failure.status !== 404;

/** Follow the address. */
export function open() {
  const { trace } = where();
  if (trace === asked) return;
  if (!asked) before = document.activeElement;
  asked = trace;
  known = null;
  failure = null;
  chosen = "";
  signature = "";
  panel.hidden = !trace;
  if (!trace) {
    before?.isConnected && before.focus({ preventScroll: true });
    return;
  }
  render();
  panel.focus({ preventScroll: true });
  load();
}

export function render() {
  if (!asked) return;
  const mark = JSON.stringify([known, failure?.status, chosen, lang()]);
  if (mark === signature) return;
  signature = mark;
  const inside = panel.contains(document.activeElement) ? document.activeElement.closest("[data-event]")?.dataset.event : null;
  fill(panel,
    h("header", { class: "trace-head" },
      h("h2", {}, t("trace")),
      known && h("span", { class: "faint number" }, t("trace.total", { n: duration(known.total_ms) })),
      known && h("span", { class: `state ${known.state}` }, t(`state.${known.state}`)),
      h("button", { type: "button", class: "plain", onclick: close, dataset: { testid: "trace-close" } }, t("trace.close"))),
    failure && h("p", { class: `note${failure.status === 404 ? "" : " warn"}` },
      failure.status === 404 ? t("trace.gone") : refusal(failure), " ",
      h("button", { class: "link", type: "button", onclick: () => refresh() }, t("retry"))),
    !known && !failure && h("p", { class: "note" }, t("loading")),
    known && h("div", { class: "dots-scroll" }, line()),
    known && stored());
  if (inside) [...panel.querySelectorAll("[data-event]")].find((one) => one.dataset.event === inside)?.focus({ preventScroll: true });
}

function line() {
  const steps = known.steps ?? [];
  const told = new Set(steps.map((step) => step.stage));
  const over = ["answered", "handed_over", "ignored"].includes(known.state);
  const missing = over ? [] : STAGES.filter((stage) => !told.has(stage));
  const list = h("ol", { class: "dots", dataset: { testid: "trace-dots" } }, steps.map(dot), missing.map(coming));
  list.style.setProperty("--dots", String(Math.max(steps.length + missing.length, 1)));
  return list;
}

function dot(step) {
  const dead = step.topic?.startsWith("dead.");
  const id = step.event_id ?? `${step.stage}/${step.topic}`;
  return h("li", { class: dead ? "dead" : null },
    h("button", {
      type: "button", class: "dot", "aria-expanded": String(chosen === id),
      dataset: { testid: "trace-dot", stage: step.stage, topic: step.topic, event: id },
      onclick: () => choose(id),
    }, h("span", { class: "ball", "aria-hidden": "true" }), h("span", {}, name("done", step.stage))),
    h("span", { class: "number since" }, `+${duration(step.since_ms)}`),
    h("span", { class: "number faint", title: t("trace.took.long", { n: duration(step.took_ms) }) }, t("trace.took", { n: duration(step.took_ms) })),
    h("span", { class: "why" }, step.why || "—"));
}

function coming(stage) {
  const failed = known.state === "failed";
  return h("li", { class: "coming", dataset: { testid: "trace-coming", stage } },
    h("span", { class: "dot" }, h("span", { class: "ball", "aria-hidden": "true" }), h("span", {}, name("stage", stage))),
    h("span", { class: "faint" }, t(failed ? "trace.not" : "trace.coming")));
}

function stored() {
  const step = known.steps?.find((one) => (one.event_id ?? `${one.stage}/${one.topic}`) === chosen);
  if (!step) return h("p", { class: "note" }, t("trace.open"));
  return h("section", { class: "stored", dataset: { testid: "trace-event" } },
    h("p", { class: "meta" }, t("topic"), " ", h("code", { dataset: { testid: "trace-topic" } }, step.topic), " · ", timeTag(step.at)),
    h("pre", { tabindex: "0", dataset: { testid: "trace-json" } }, JSON.stringify(step.event, null, 2)));
}

function choose(id) {
  chosen = chosen === id ? "" : id;
  render();
  $(".stored", panel)?.scrollIntoView({ block: "nearest" });
}

function close() {
  go(up());
}
