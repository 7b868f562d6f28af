// Entry: puts the parts together, follows the stream, minds the keys.
import { follow } from "./api.js";
import * as compose from "./compose.js";
import * as conversation from "./conversation.js";
import * as conversations from "./conversations.js";
import { $, fill } from "./dom.js";
import * as header from "./header.js";
import * as pipeline from "./pipeline.js";
import { go, toTrace, where } from "./route.js";
import { clock, refreshTimes } from "./time.js";
import * as trace from "./trace.js";
import { t } from "./words.js";

const STAGE_OF_TOPIC = {
  "printer.received": "ingest",
  "printer.classified": "classify",
  "printer.extracted": "extract",
  "printer.grounded": "rag",
  "printer.drafted": "respond",
  "printer.sent": "dispatch",
};
const parts = [conversations, conversation, trace, pipeline, compose];
const banner = $("#banner");

let connected = false;
let lost = false; // as against: not yet connected

// ── words ───────────────────────────────────────────────────────────────────
function render() {
  for (const part of parts) part.render();
  sayBanner();
  refreshTimes();
}

// ── the stream ──────────────────────────────────────────────────────────────
function refreshAll() {
  for (const part of [conversations, conversation, trace, pipeline]) part.refresh();
}

function sayBanner() {
  const since = conversations.asOf();
  banner.hidden = !lost;
  const words = t("banner.lost") + (since ? t("banner.since", { when: clock(since) }) : "");
  if (lost && banner.textContent !== words) fill(banner, words);
}

function onUp() {
  connected = true;
  lost = false;
  sayBanner();
  refreshAll();
}

function onDown() {
  connected = false;
  lost = true;
  sayBanner();
  pipeline.refresh();
}

function onChange(change) {
  if (STAGE_OF_TOPIC[change.topic]) conversations.reached(change.conversation_id, STAGE_OF_TOPIC[change.topic]);
  compose.heard(change);
  conversations.refresh();
  pipeline.refresh();
  if (change.conversation_id === where().id) conversation.refresh();
  if (trace.shows(change.trace_id)) trace.refresh();
}

// Every five seconds: the pipeline, and whatever could not be brought up to date.
function mind() {
  if (document.hidden) return;
  pipeline.refresh();
  for (const part of [conversations, conversation, trace]) {
    if (!connected || part.stale()) part.refresh();
  }
  sayBanner();
}

// ── the address ─────────────────────────────────────────────────────────────
function follows() {
  document.body.dataset.view = where().view;
  conversation.open();
  trace.open();
  conversations.follow();
}

// ── the keys ────────────────────────────────────────────────────────────────
const help = $("#help");

const KEYS = {
  j: () => conversations.move(1),
  k: () => conversations.move(-1),
  "/": () => {
    if (where().view !== "list" && matchMedia("(max-width: 800px)").matches) go("#/");
    $("#search").focus();
    $("#search").select();
  },
  "?": () => help.showModal(),
  t: () => {
    const message = conversation.current();
    if (message) go(toTrace(where().id, message.trace_id));
  },
  Enter: (event) => {
    if (event.target.closest("a, button, summary, [tabindex]")) return false;
    conversations.openCursor();
    return true;
  },
  Escape: () => go(conversation.up()),
};

function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  if (event.target.closest("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const action = KEYS[event.key];
  if (action && action(event) !== false) event.preventDefault();
}

// ── begin ───────────────────────────────────────────────────────────────────
conversations.start();
pipeline.start();
compose.start();
header.start(render);
follows();
refreshAll();
follow({ up: onUp, down: onDown, change: onChange });

addEventListener("hashchange", follows);
document.addEventListener("visibilitychange", mind);
addEventListener("keydown", onKey);
$("#help-open").addEventListener("click", () => help.showModal());
setInterval(refreshTimes, 30_000);
setInterval(mind, 5_000);
