// Times: "il y a 4 min", the exact one on hover, kept current.
import { h } from "./dom.js";
import { lang, t } from "./words.js";

const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

export function ago(iso, now = Date.now()) {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1_000); // a clock ahead of ours is "just now"
  if (Number.isNaN(seconds)) return "—";
  const form = new Intl.RelativeTimeFormat(lang(), { style: "short" });
  for (const [unit, size] of UNITS) {
    if (seconds >= size) return form.format(-Math.floor(seconds / size), unit);
  }
  return t("now");
}

export function exact(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "";
  return date.toLocaleString(lang(), { dateStyle: "full", timeStyle: "medium" });
}

export const clock = (date) => date.toLocaleTimeString(lang(), { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** A time that `refreshTimes` keeps current. */
export function timeTag(iso) {
  return h("time", { datetime: iso, title: exact(iso) }, ago(iso));
}

export function refreshTimes() {
  for (const element of document.querySelectorAll("time[datetime]")) {
    const words = ago(element.dateTime);
    if (element.textContent !== words) element.textContent = words;
    element.title = exact(element.dateTime);
  }
}
