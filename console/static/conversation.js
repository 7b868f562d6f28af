// Middle: the open conversation, its messages in order.
import { getConversation, getTrace } from "./api.js";
import { stateWords, who } from "./conversations.js";
import { $, fill, h, paced, reconcile } from "./dom.js";
import { toConversation, toList, toSide, toTrace, go, where } from "./route.js";
import * as side from "./side.js";
import { chip, marked, withChips } from "./text.js";
import { timeTag } from "./time.js";
import { decimal, duration, lang, name, refusal, saidAbove, t } from "./words.js";

export const STAGES = ["ingest", "classify", "extract", "rag", "respond", "dispatch"];
const LONG = 2_500; // characters from which a message is folded

const head = $("#thread-head");
const note = $("#thread-note");
const thread = $("#thread");
const scroll = $("#thread-scroll");

let shown = ""; // the conversation asked for
let known = null; // what the server last said of it
let failure = null;
let turn = 0; // of several questions under way only the last is listened to
let about = ""; // the incoming message that the side speaks of; "" is the latest
const watched = new Set(); // traces sent from this page: their walk stays in sight
const walks = new Map(); // trace → what the server said of it

export const watch = (trace) => watched.add(trace);
export const stale = () => Boolean(shown) && failure !== null && failure.status !== 404;

export const refresh = paced(load);

async function load() {
  const id = shown;
  if (!id) return;
  const mine = ++turn;
  try {
    const answer = await getConversation(id);
    await Promise.all(answer.messages.filter(walking).map(askWalk));
    if (id !== shown || mine !== turn) return;
    known = answer;
    failure = null;
  } catch (error) {
    if (id !== shown || mine !== turn) return;
    failure = error;
  }
  render();
}

async function askWalk(message) {
  try {
    walks.set(message.trace_id, await getTrace(message.trace_id));
  } catch { /* the walk is a comfort: without it the message is still there */ }
}

const walking = (message) =>
  message.direction === "in" && (message.state === "on_the_road" || watched.has(message.trace_id));

/** Show the conversation of the address. */
export function open() {
  const { id } = where();
  if (id === shown) return;
  shown = id;
  known = null;
  failure = null;
  about = "";
  thread.replaceChildren();
  render();
  side.forget();
  if (id) load();
}

const incoming = () => known?.messages.filter((one) => one.direction === "in") ?? [];

/** The incoming message that the side and the key `t` speak of. */
export function current() {
  return incoming().find((one) => one.id === about) ?? incoming().at(-1);
}

// The message that an answer answers: same trace, or else the last one before it.
function questionOf(answer) {
  const same = incoming().find((one) => one.trace_id === answer.trace_id);
  if (same) return same;
  return known.messages.slice(0, known.messages.indexOf(answer)).findLast((one) => one.direction === "in");
}

function passagesOf(answer) {
  return answer.passages?.length ? answer.passages : questionOf(answer)?.passages ?? [];
}

export function render() {
  sayHead();
  sayNote();
  if (!known) {
    side.render(null);
    return;
  }
  const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80 || thread.childElementCount === 0;
  reconcile(thread, known.messages, {
    key: (one) => one.id,
    signature: (one) => JSON.stringify([one, lang(), walking(one) ? walks.get(one.trace_id) : 0, passagesOf(one)]),
    render: (one) => (one.direction === "in" ? question(one) : answerOf(one)),
  });
  const now = current();
  for (const item of thread.children) item.classList.toggle("about", incoming().length > 1 && item.dataset.key === now?.id);
  if (atEnd) scroll.scrollTop = scroll.scrollHeight;
  side.render(known, now, incoming().length > 1, answersTo(now));
}

const answersTo = (message) =>
  known.messages.filter((one) => one.direction === "out" && questionOf(one) === message);

function sayHead() {
  fill(head, shown && h("a", { class: "back phone-only", href: toList(), dataset: { testid: "back" } }, t("back")),
    known && h("span", { class: "who" }, who(known.customer)),
    known && h("span", { class: "faint" }, name("channel", known.channel)),
    known && h("span", { class: `state ${known.state}`, dataset: { testid: "thread-state" } }, stateWords(known)),
    known && h("a", { class: "to-side phone-only", href: toSide(shown), dataset: { testid: "to-side" } }, t("details")));
}

function sayNote() {
  const bad = failure && failure.status !== 404 && !(known && saidAbove(failure));
  note.classList.toggle("warn", Boolean(bad));
  if (!shown) fill(note, t("pick"));
  else if (failure?.status === 404) fill(note, t("gone"));
  else if (bad) {
    fill(note, known ? t("stale") : "", refusal(failure), " ",
      h("button", { class: "link", type: "button", onclick: () => refresh() }, t("retry")));
  } else fill(note, known ? "" : t("loading"));
  note.hidden = !note.hasChildNodes();
}

function question(message) {
  const inbound = message.classification?.language?.value ?? null;
  return h("li", { class: "message in", dataset: { testid: "message", direction: "in", message: message.id, state: message.state } },
    h("p", { class: "meta" }, t("in.who"), ", ", timeTag(message.at)),
    message.subject && h("p", { class: "subject", dir: "auto" }, message.subject),
    body(message.text, marked(message.text ?? "", message.findings ?? []), inbound),
    message.whole && h("details", { dataset: { testid: "whole" } },
      h("summary", {}, t("whole")), h("div", { class: "text faint", lang: inbound, dir: "auto" }, message.whole)),
    walking(message) ? walk(message) : null,
    message.state === "failed" && h("p", { class: "alarm" }, stateWords(message)),
    h("p", { class: "under" },
      h("a", { href: toTrace(shown, message.trace_id), dataset: { testid: "trace-link", trace: message.trace_id } }, t("how.arrived")),
      incoming().length > 1 && h("button", { type: "button", class: "link", onclick: () => choose(message) }, t("side"))));
}

// What the stages have said of a message that is still on its way.
function walk(message) {
  const trace = walks.get(message.trace_id);
  const steps = new Map((trace?.steps ?? []).map((step) => [step.stage, step]));
  const next = STAGES.find((stage) => !steps.has(stage));
  const moving = message.state === "on_the_road";
  return h("ol", { class: "walk", dataset: { testid: "walk" } }, STAGES.map((stage) => {
    const step = steps.get(stage);
    const kind = step ? "done" : moving && stage === next ? "next" : "";
    if (!step && !moving) return null;
    return h("li", { class: kind, dataset: { testid: "walk-step", stage, done: String(Boolean(step)) } },
      h("strong", {}, name(step ? "done" : "stage", stage)),
      step && h("span", { class: "faint number" }, duration(step.since_ms)),
      step?.why && h("span", { class: "why" }, step.why));
  }));
}

function answerOf(message) {
  const chosen = (article) => {
    choose(questionOf(message));
    side.lightPassage(article);
  };
  const meta = [t("out.who"), ", ", timeTag(message.at)];
  const attributes = (kind) => ({
    class: `message out ${kind}`,
    dataset: { testid: "message", direction: "out", message: message.id, action: message.action ?? "" },
  });
  if (message.action === "handoff" || message.action === "ignore") {
    const state = message.action === "handoff" ? "handed_over" : "ignored";
    return h("li", attributes(message.action),
      h("p", { class: "meta" }, meta),
      h("p", { class: `state ${state}`, dataset: { testid: "handoff-reason" } }, stateWords({ ...message, state })),
      message.text && h("p", { class: "meta" }, t("ack"), " · ", status(message), paid(message)),
      message.text ? body(message.text, withChips(message.text, message.sources ?? [], chosen)) : h("p", { class: "faint" }, t("no.ack")));
  }
  return h("li", attributes("reply"),
    h("p", { class: "meta" }, meta, " · ", status(message), paid(message)),
    message.subject && h("p", { class: "subject", dir: "auto" }, message.subject),
    body(message.text, withChips(message.text ?? "", message.sources ?? [], chosen)),
    h("p", { class: "made", dataset: { testid: "made" } },
      h("span", {}, how(message.how)),
      sureness(message),
      (message.sources ?? []).map((article, index) => chip(index + 1, article, chosen))));
}

function how(made) {
  return made === "template" || !made ? t("how.template") : t("how.llm", { what: made });
}

// The reply's own confidence when the server gives one; else how near the articles it quotes are, and it is called that.
function sureness(message) {
  if (typeof message.confidence === "number") return h("span", { class: "number" }, t("confidence", { n: decimal(message.confidence) }));
  const quoted = passagesOf(message).filter((one) => message.sources?.includes(one.article));
  if (quoted.length === 0) return null;
  return h("span", { class: "number" }, t("nearest", { n: decimal(Math.max(...quoted.map((one) => one.score))) }));
}

// What a text message costs: each segment is paid for.
function paid(message) {
  return message.segments > 0 && h("span", { dataset: { testid: "segments" } }, " · ", t("segments", { n: message.segments }));
}

function status(message) {
  const bad = message.status === "failed";
  return h("span", { class: bad ? "alarm" : null, dataset: { testid: "send-status" } }, name("status", message.status ?? "none"));
}

function body(text, pieces, language = null) {
  const long = (text ?? "").length > LONG;
  const block = h("div", { class: `text${long ? " folded" : ""}`, lang: language, dir: "auto", dataset: { testid: "message-text" } }, pieces);
  if (!long) return block;
  const button = h("button", { type: "button", class: "link", onclick: () => { block.classList.remove("folded"); button.remove(); } }, t("show.all"));
  return [block, button];
}

function choose(message) {
  if (!message) return;
  about = message.id;
  if (matchMedia("(max-width: 800px)").matches) go(toSide(shown));
  render();
}

/** The element of a message, for the side to light what was found in it. */
export const elementOf = (message) => [...thread.children].find((item) => item.dataset.key === message?.id);

/** The address one level up from here. */
export function up() {
  const { id, view, trace } = where();
  return id && (trace || view === "side") ? toConversation(id) : toList();
}

