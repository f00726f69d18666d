// Applies Airflow's light or dark theme before the first paint. Airflow keeps the choice in localStorage.
"use strict";
(() => {
  const apply = () => {
    let theme = null;
    try {
      theme = localStorage.getItem("theme");
    } catch {
      // no storage: use the system's theme
    }
    if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  };
  apply();
  addEventListener("storage", (event) => {
    if (event.key === "theme" || event.key === null) apply();
  });
})();
