// The state of the pipeline: a few words in the header, six boxes in the strip.
import { getPipeline } from "./api.js";
import { $, fill, h, paced } from "./dom.js";
import { count, lang, name, t } from "./words.js";

const state = $("#pipeline-state");
const strip = $("#pipeline");
const toggle = $("#pipeline-toggle");
let known = null; // null: not known, or not any more

export const refresh = paced(async () => {
  try {
    known = await getPipeline();
  } catch {
    known = null; // an old "ok" would be a lie
  }
  render();
}, 1_000);

function summary() {
  if (!known) return ["unknown", t("pipeline.unknown")];
  const stages = known.stages ?? [];
  const stopped = stages.find((stage) => stage.stopped);
  if (stopped) return ["stopped", t("pipeline.stopped", { what: name("stage", stopped.stage) })];
  const waits = [...new Set(stages.map((stage) => stage.waiting_for).filter(Boolean))];
  if (waits.length) return ["waits", t("pipeline.waiting", { what: waits.join(", ") })];
  if (!stages.length) return ["unknown", t("pipeline.elsewhere")];
  if (!known.ready) return ["waits", t("pipeline.starting")];
  const dead = stages.reduce((sum, stage) => sum + (stage.dead ?? 0), 0);
  if (dead) return ["waits", `${t("pipeline.ok")} · ${count(dead, "pipeline.dead")}`];
  return ["ok", t("pipeline.ok")];
}

export function render() {
  const [kind, words] = summary();
  state.className = `health ${kind}`;
  fill(state, words);
  toggle.setAttribute("aria-expanded", String(!strip.hidden));
  if (strip.hidden) return;
  if (!known) fill(strip, h("p", { class: "note" }, t("pipeline.unknown")));
  else if (!known.stages?.length) fill(strip, h("p", { class: "note" }, t("pipeline.elsewhere")));
  else fill(strip, (known.stages ?? []).map(box));
}

function box(stage) {
  const bad = stage.stopped ? "stopped" : stage.waiting_for || stage.dead ? "waits" : "";
  return h("div", { class: `box ${bad}`, dataset: { testid: "stage-box", stage: stage.stage } },
    h("strong", {}, name("stage", stage.stage)),
    h("dl", {}, ["handled", "in_hand", "dead"].map((what) => [
      h("dt", {}, t(`stage.${what}`)),
      h("dd", { class: what === "dead" && stage.dead ? "some" : null }, Number(stage[what] ?? 0).toLocaleString(lang())),
    ])),
    stage.stopped
      ? h("p", { class: "alarm" }, t("pipeline.stopped", { what: stage.stopped }))
      : stage.waiting_for && h("p", { class: "warn" }, t("pipeline.waiting", { what: stage.waiting_for })));
}

export function start() {
  toggle.addEventListener("click", () => {
    strip.hidden = !strip.hidden;
    render();
    refresh();
  });
  render();
}
