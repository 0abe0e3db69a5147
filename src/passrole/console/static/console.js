// Keeps an open page up to date, and gives the lists keys. Without it every page works by reload.
"use strict";

const main = document.getElementById("main");
const typing = () => main.querySelector("input:focus, textarea:focus, select:focus");
const edited = () => [...main.querySelectorAll("input:not([type=hidden]), textarea")].some((e) => e.value !== e.defaultValue);

// What a link or button is for: by that its successor is found when the page is shown anew.
const mark = (e) => e?.getAttribute?.("href") ?? (e?.form ? e.form.getAttribute("action") + " " + e.value : null);

async function refresh() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (answer.redirected) return location.reload();
  if (!answer.ok || typing() || edited()) return; // what is being written stays
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
  const focused = mark(document.activeElement);
  const open = [...main.querySelectorAll("details")].map((each) => each.open);
  const scrolled = [...main.querySelectorAll(".picture, pre")].map((each) => [each.scrollLeft, each.scrollTop]);
  main.replaceChildren(...fresh.childNodes);
  main.querySelectorAll("details").forEach((each, index) => { each.open = open[index] ?? each.open; });
  main.querySelectorAll(".picture, pre").forEach((each, index) => {
    [each.scrollLeft, each.scrollTop] = scrolled[index] ?? [0, 0];
  });
  if (focused) [...main.querySelectorAll("a, button")].find((each) => mark(each) === focused)?.focus();
}

if (document.body.dataset.changes) {
  const events = new EventSource("/events?of=" + encodeURIComponent(document.body.dataset.changes));
  let due = false;
  const soon = async () => { // one at a time: a change that comes meanwhile is shown after it
    if (due) return;
    due = true;
    try { await refresh(); } finally { due = false; }
  };
  let opened = false;
  events.onopen = () => { if (opened) soon(); opened = true; };
  events.onmessage = soon;
  addEventListener("pagehide", () => events.close());
}

// What a program prints is no change of its execution, so its log is asked for while somebody looks.
setInterval(async () => {
  const shown = main.querySelector("[data-follow]");
  if (!shown || document.hidden || shown.matches(":focus-within") || String(getSelection())) return;
  const answer = await fetch(shown.dataset.follow, { headers: { accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(shown.id);
  if (!fresh || fresh.textContent === shown.textContent) return;
  const old = shown.querySelector("pre");
  const follows = !old || old.scrollTop + old.clientHeight >= old.scrollHeight - 8;
  shown.replaceWith(fresh);
  const pre = fresh.querySelector("pre");
  if (pre) pre.scrollTop = follows ? pre.scrollHeight : old.scrollTop;
}, 2000);

const KEYS = { j: 1, k: -1 };
const FOLLOWED = { n: "a[rel=next]", p: "a[rel=prev]" };
const keys = document.getElementById("keys");
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing()) return;
  if (event.key === "?" && keys) {
    keys.open ? keys.close() : keys.showModal();
    return event.preventDefault();
  }
  if (keys?.open) return; // Escape closes it
  const items = [...main.querySelectorAll("[data-item]")];
  const current = items.findIndex((each) => each.contains(document.activeElement));
  const move = KEYS[event.key];
  if (move && items.length) {
    const next = items[Math.min(items.length - 1, Math.max(0, current + move))];
    next.querySelector("a, input, button").focus();
    event.preventDefault();
  } else if (current >= 0 && (event.key === "a" || event.key === "r")) {
    items[current].querySelector(event.key === "a" ? "button.good" : "button.bad")?.focus();
    event.preventDefault();
  } else if (FOLLOWED[event.key]) {
    main.querySelector(FOLLOWED[event.key])?.click();
  } else if (current < 0 && event.key === "Enter" && items.length && document.activeElement === document.body) {
    items[0].querySelector("a, input, button").focus();
    event.preventDefault();
  }
});
