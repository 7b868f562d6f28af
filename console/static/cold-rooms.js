// The page /cold-rooms: alarms that go on, the fleet, one unit (#/u/<unit>).
import { follow, getColdRoom, getColdRooms } from "./api.js";
import { $, fill, memory, paced, reconcile } from "./dom.js";
import * as episodes from "./episodes.js";
import * as header from "./header.js";
import { clock, refreshTimes } from "./time.js";
import { fleetRow, unitHead } from "./units.js";
import { count, lang, refusal, t } from "./words.js";

const EVERY_MS = 5_000;
const TOPICS = /^(frigo|feedback)\./;

let known = null; // the last answer for what is shown
let shown = ""; // the unit that it is of; "" is the fleet
let failure = null;
let fresh = null;

function wanted() {
  const [, first, id] = location.hash.split("/");
  if (first !== "u" || !id) return "";
  try { return decodeURIComponent(id); } catch { return id; }
}

// ── words ───────────────────────────────────────────────────────────────────
function counts() {
  if (!known?.units) return [];
  const detector = known.detector_at
    ? t("cold.detector", { n: episodes.lasting(Date.now() - Date.parse(known.detector_at)) })
    : t("cold.detector.none");
  return [count(known.total, "cold.count"), " · ", detector];
}

function notes(open) {
  const waiting = !known && (failure ? refusal(failure) : t("loading"));
  fill($("#alarms-note"), waiting || (open.length === 0 && t(shown ? "cold.none.unit" : "cold.none")));
  const cut = known?.units && known.total > known.units.length;
  fill($("#fleet-note"), known?.units?.length === 0 && t("cold.units.none"),
    cut && t("cold.units.cut", { n: known.units.length, total: known.total }));
}

function render() {
  document.title = `Astreinte · ${t("cold")}`;
  const told = known?.episodes ?? [];
  const open = told.filter((one) => !one.ended_at);
  $("#fleet").hidden = shown !== "";
  $("#unit").hidden = shown === "";
  fill($("#counts"), counts());
  fill($("#alarms-title"), open.length ? count(open.length, "cold.open") : t("cold.alarms"));
  notes(told);
  if (shown) fill($("#unit"), known ? unitHead(known) : t("loading"));
  reconcile($("#episodes"), told, {
    key: (one) => one.episode_id,
    signature: (one) => JSON.stringify([one, lang(), episodes.state(one), shown]),
    render: (one) => episodes.card(one, known.causes, shown !== ""),
  });
  reconcile($("#units"), known?.units ?? [], {
    key: (one) => one.unit_id,
    signature: (one) => JSON.stringify([one, lang()]),
    render: fleetRow,
  });
  banner();
  tick();
}

function banner() {
  const words = failure && fresh ? `${t("banner.lost")}${t("banner.since", { when: clock(fresh) })}` : "";
  $("#banner").hidden = !words;
  if ($("#banner").textContent !== words) fill($("#banner"), words);
}

function tick() {
  refreshTimes();
  episodes.tick($("main"));
  if (known?.units) fill($("#counts"), counts());
}

// ── data ────────────────────────────────────────────────────────────────────
const refresh = paced(async () => {
  const of = wanted();
  try {
    const answer = await (of ? getColdRoom(of) : getColdRooms());
    if (of !== wanted()) return;
    [known, shown, failure, fresh] = [answer, of, null, new Date()];
  } catch (error) {
    failure = error;
  }
  render();
});

function turn() {
  [known, shown] = [null, wanted()];
  render();
  refresh();
  $("main").scrollTo(0, 0);
}

// ── begin ───────────────────────────────────────────────────────────────────
shown = wanted();
$("#me").value = memory.get("me") ?? "";
$("#me").addEventListener("change", () => memory.set("me", $("#me").value.trim() || null));
episodes.start({ render, refresh, me: () => $("#me").value.trim() });
header.start(render);
refresh();
follow({ up: refresh, down: refresh, change: (change) => TOPICS.test(change.topic) && refresh() });
addEventListener("hashchange", turn);
document.addEventListener("visibilitychange", () => document.hidden || refresh());
setInterval(() => document.hidden || refresh(), EVERY_MS);
setInterval(tick, 1_000);
