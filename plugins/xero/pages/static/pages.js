// Shows times in the viewer's time zone, and opens links outside the frame that Airflow puts around these pages.
"use strict";
(() => {
  const framed = window.parent !== window;
  document.documentElement.classList.toggle("framed", framed);

  const zone = () => {
    try {
      const kept = localStorage.getItem("timezone");
      const name = kept && kept.startsWith('"') ? JSON.parse(kept) : kept;
      if (name) {
        new Intl.DateTimeFormat("en-AU", { timeZone: name });
        return name;
      }
    } catch {
      // no or an unknown time zone: use the browser's
    }
    return Intl.DateTimeFormat().resolvedOptions().timeZone;
  };

  const showTimes = (root) => {
    const timeZone = zone();
    const short = new Intl.DateTimeFormat("en-AU", { timeZone, dateStyle: "medium", timeStyle: "short" });
    const long = new Intl.DateTimeFormat("en-AU", { timeZone, dateStyle: "full", timeStyle: "long" });
    const hour = new Intl.DateTimeFormat("en-AU", { timeZone, timeStyle: "short" });
    const day = new Intl.DateTimeFormat("en-AU", { timeZone, day: "numeric", month: "short" });
    const brief = (at) => (day.format(at) === day.format(new Date()) ? "" : `${day.format(at)}, `) + hour.format(at);
    const unbroken = (text) => text.replace(/\s(?=[ap]m$)/u, "\u00a0"); // never breaks the line before am or pm
    for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      time.textContent = unbroken("brief" in time.dataset ? brief(at) : short.format(at));
      time.title = long.format(at);
    }
    for (const field of root.querySelectorAll("input[name=zone]")) field.value = timeZone;
  };

  // A link to Airflow or to Xero's login must open in the whole window. A framed page may not do that itself, so the
  // surrounding document follows the link.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-airflow]");
    if (!link || !/^https?:$/u.test(link.protocol) || !framed || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    const outside = window.parent.document.createElement("a");
    outside.href = link.href;
    window.parent.document.body.append(outside);
    outside.click();
    outside.remove();
  });

  document.addEventListener("change", (event) => {
    const all = event.target.closest("input[data-all]");
    if (all) for (const box of all.form.querySelectorAll(`input[name="${all.dataset.all}"]:enabled`)) box.checked = all.checked;
    const form = event.target.closest("form[data-at-once]");
    if (form) form.requestSubmit();
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener) document.getElementById(opener.dataset.dialog).showModal();
    const closer = event.target.closest("dialog [data-close]");
    if (closer) closer.closest("dialog").close();
  });

  document.addEventListener("submit", (event) => {
    // A second click sends nothing.
    if (event.target.method !== "post") return;
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  showTimes(document);
  document.addEventListener("htmx:afterSettle", (event) => showTimes(event.target.parentElement ?? document));
})();
