// Runs before the first paint (a plain script, not a module): the chosen theme and language.
(() => {
  const kept = (name) => {
    try { return localStorage.getItem(name); } catch { return null; }
  };
  const theme = kept("astreinte.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  if (kept("astreinte.lang") === "en") document.documentElement.lang = "en";
})();
