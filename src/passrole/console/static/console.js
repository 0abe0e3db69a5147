// Keeps an open page up to date, and gives the lists keys. Without it every page works by reload.
"use strict";

const main = document.getElementById("main");
const typing = () => main.querySelector("input:focus, textarea:focus, select:focus");
const edited = () => [...main.querySelectorAll("input:not([type=hidden]), textarea")].some((e) => e.value !== e.defaultValue);

const SCROLLED = ".picture, .wide-table, pre";

// What a link or button is for: by that its successor is found when the page is shown anew.
const mark = (e) => e?.getAttribute?.("href") ?? (e?.form ? e.form.getAttribute("action") + " " + e.value : null);

// Nothing where the server does not answer, or stops within its answer: it is asked again.
async function asked(url) {
  try {
    const answer = await fetch(url, { headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return { ok: answer.ok, redirected: answer.redirected, page };
  } catch {
    return null;
  }
}

async function refresh() {
  const answer = await asked(location.href);
  if (!answer) return;
  if (answer.redirected) return location.reload();
  if (!answer.ok || typing() || edited()) return; // what is being written stays
  const fresh = answer.page.getElementById("main");
  const focused = mark(document.activeElement);
  const open = [...main.querySelectorAll("details")].map((each) => each.open);
  const scrolled = [...main.querySelectorAll(SCROLLED)].map((each) => [each.scrollLeft, each.scrollTop]);
  main.replaceChildren(...fresh.childNodes);
  main.querySelectorAll("details").forEach((each, index) => { each.open = open[index] ?? each.open; });
  main.querySelectorAll(SCROLLED).forEach((each, index) => {
    [each.scrollLeft, each.scrollTop] = scrolled[index] ?? [0, 0];
  });
  if (focused) [...main.querySelectorAll("a, button")].find((each) => mark(each) === focused)?.focus();
}

if (document.body.dataset.changes) {
  const events = new EventSource("/events?of=" + encodeURIComponent(document.body.dataset.changes));
  let due = false, again = false;
  const soon = async () => { // one at a time: a change that comes meanwhile is shown after it
    again = true;
    if (due) return;
    due = true;
    while (again) {
      again = false;
      await refresh();
    }
    due = false;
  };
  let opened = false;
  const stale = document.getElementById("stale");
  events.onopen = () => { stale.hidden = true; if (opened) soon(); opened = true; };
  events.onerror = () => { // the browser tries again, unless the session has ended
    if (events.readyState === EventSource.CLOSED) soon(); else stale.hidden = false;
  };
  events.onmessage = soon;
  addEventListener("pagehide", () => events.close());
}

// What a program prints is no change of its execution, so its log and metrics are asked for while somebody looks.
setInterval(async () => {
  if (document.hidden || String(getSelection())) return;
  const shown = [...main.querySelectorAll("[data-follow]")].filter((each) => !each.matches(":focus-within"));
  for (const url of new Set(shown.map((each) => each.dataset.follow))) {
    const answer = await asked(url);
    if (!answer?.ok || answer.redirected) continue;
    shown.filter((each) => each.dataset.follow === url)
      .forEach((each) => renew(each, answer.page.getElementById(each.id)));
  }
}, 2000);

function renew(shown, fresh) {
  if (!fresh || fresh.textContent === shown.textContent) return;
  const old = shown.querySelector(SCROLLED);
  const follows = !old || old.scrollTop + old.clientHeight >= old.scrollHeight - 8;
  shown.replaceWith(fresh);
  const now = fresh.querySelector(SCROLLED);
  if (!now) return;
  now.scrollTop = follows ? now.scrollHeight : old.scrollTop;
  now.scrollLeft = old?.scrollLeft ?? 0;
}

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
