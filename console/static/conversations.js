// Left: the list, live, newest first.
import { getConversations } from "./api.js";
import { $, fill, h, paced, reconcile } from "./dom.js";
import { go, toConversation, where } from "./route.js";
import { timeTag } from "./time.js";
import { count, label, lang, name, refusal, saidAbove, t } from "./words.js";

const STEP = 100;
const ARRIVAL_MS = 60_000;
const FILTERS = {
  all: () => true,
  person: (one) => one.state === "handed_over" || one.state === "failed",
  answered: (one) => one.state === "answered",
  ignored: (one) => one.state === "ignored",
};

const list = $("#list");
const note = $("#list-note");
const more = $("#list-more");
const search = $("#search");

let known = null; // the last answer of the server
let failure = null;
let fresh = null; // when the server last gave the list
let limit = STEP;
let filter = "all";
let cursor = "";
const seen = new Set(); // conversation:messages, as it was once shown
const progress = new Map(); // conversation → the last stage that the stream told of

/** How a state is said; `reached` is the last stage done while on the road. */
export function stateWords(one, reached = "") {
  const reason = label(one.reason_label, name("reason", one.reason));
  if (one.state === "on_the_road") return reached ? t("state.on_the_road.at", { what: reached }) : t("state.on_the_road");
  if (one.state === "answered" || !reason) return t(`state.${one.state}`);
  return t(`state.${one.state}`) + t("colon") + reason;
}

export const who = (customer) => customer?.name || customer?.address || t("unknown.customer");

export const refresh = paced(async () => {
  try {
    known = await getConversations(limit);
    failure = null;
    fresh = new Date();
  } catch (error) {
    failure = error;
  }
  render();
});

export const stale = () => failure !== null;
export const asOf = () => fresh;

/** The stream said that a stage is done: the row says so before the list is asked again. */
export function reached(conversation, stage) {
  progress.delete(conversation);
  progress.set(conversation, stage);
  if (progress.size > 500) progress.delete(progress.keys().next().value);
}

function wanted() {
  const needle = plain(search.value.trim());
  const all = [...(known?.conversations ?? [])].sort((a, b) => Date.parse(b.last_at) - Date.parse(a.last_at));
  return all.filter((one) => FILTERS[filter](one) && (!needle || plain(haystack(one)).includes(needle)));
}

const haystack = (one) =>
  [one.customer?.name, one.customer?.address, one.subject, one.preview, name("channel", one.channel), stateWords(one)].join(" ");

// "repondu" finds "répondu".
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

export function render() {
  for (const button of document.querySelectorAll("[data-filter]")) {
    button.setAttribute("aria-pressed", String(button.dataset.filter === filter));
  }
  const first = seen.size === 0;
  const shown = wanted();
  const open = where().id;
  reconcile(list, shown, {
    key: (one) => one.id,
    signature: (one) => JSON.stringify([one, lang(), progress.get(one.id) ?? ""]),
    render: row,
  });
  shown.forEach((one, index) => {
    const item = list.children[index];
    const link = item.firstElementChild;
    if (one.id === open) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    item.classList.toggle("cursor", one.id === cursor);
    // Only a message never seen before moves, not what a filter or "show more" brings back.
    const mark = `${one.id}:${one.messages}`;
    if (!first && !seen.has(mark) && Date.now() - Date.parse(one.last_at) < ARRIVAL_MS) item.classList.add("arrived");
    seen.add(mark);
  });
  sayNotes(shown);
  sayCounts();
}

function row(one) {
  const title = one.subject || one.preview || t("no.subject");
  return h("li", {},
    h("a", {
      href: toConversation(one.id), class: "row",
      dataset: { testid: "conversation-row", conversation: one.id, state: one.state },
    },
      h("span", { class: "row-top" },
        h("span", { class: "who" }, who(one.customer)),
        one.trial && h("span", { class: "tag" }, t("trial")),
        h("span", { class: "faint" }, name("channel", one.channel), " · ", timeTag(one.last_at))),
      h("span", { class: "row-title", dir: "auto" }, title),
      h("span", { class: `state ${one.state}`, dataset: { testid: "conversation-state" } },
        stateWords(one, progress.has(one.id) ? name("done", progress.get(one.id)) : ""))));
}

function sayNotes(shown) {
  const retry = () => h("button", { class: "link", type: "button", onclick: () => refresh() }, t("retry"));
  const bad = failure && !(known && saidAbove(failure));
  note.classList.toggle("warn", Boolean(bad));
  if (bad) fill(note, known ? t("stale") : "", refusal(failure), " ", retry());
  else if (!known) fill(note, t("loading"));
  else if (known.conversations.length === 0) fill(note, t("list.empty"));
  else if (shown.length === 0) fill(note, t("list.none"), h("button", { class: "link", type: "button", onclick: reset }, t("list.reset")));
  else fill(note);
  note.hidden = !note.hasChildNodes();
  const loaded = known?.conversations.length ?? 0;
  const partial = loaded > 0 && known.total > loaded;
  more.hidden = !partial;
  if (!partial) return;
  fill(more, t("list.part", { n: loaded, total: known.total.toLocaleString(lang()) }),
    h("button", { class: "link", type: "button", onclick: showMore }, t("list.more")));
}

function sayCounts() {
  if (!known) return;
  const waiting = $("#waiting");
  fill($("#total"), count(known.total, "count"));
  fill(waiting, count(known.waiting, "waiting"));
  waiting.classList.toggle("some", known.waiting > 0);
  document.title = (known.waiting ? `(${known.waiting}) ` : "") + t("title");
}

function showMore() {
  limit += STEP;
  refresh();
}

function reset() {
  filter = "all";
  search.value = "";
  render();
}

/** j and k: one down, one up; the focus goes along, so that Enter opens. */
export function move(step) {
  const rows = [...list.children];
  if (rows.length === 0) return;
  const from = rows.findIndex((item) => item.dataset.key === (cursor || where().id));
  const to = from < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(from + step, 0), rows.length - 1);
  cursor = rows[to].dataset.key;
  for (const item of rows) item.classList.toggle("cursor", item.dataset.key === cursor);
  rows[to].firstElementChild.focus();
  rows[to].scrollIntoView({ block: "nearest" });
}

/** The address changed: the place in the list goes along. */
export function follow() {
  cursor = where().id || cursor;
  render();
}

export function openCursor() {
  if (cursor) go(toConversation(cursor));
}

export function start() {
  search.addEventListener("input", render);
  $("#filters").addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-filter]");
    if (!chosen) return;
    filter = chosen.dataset.filter;
    render();
  });
  list.addEventListener("focusin", (event) => {
    cursor = event.target.closest("li")?.dataset.key ?? cursor;
    for (const item of list.children) item.classList.toggle("cursor", item.dataset.key === cursor);
  });
  render();
}
