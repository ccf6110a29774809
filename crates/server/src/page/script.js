"use strict";
(function () {
  var base = document.body.dataset.base;
  var announcement = document.getElementById("announcement");
  var last = null;
  var silent = 0;

  function main() { return document.getElementById("main"); }
  function busy() { return main().dataset.busy === "true"; }
  function say(text) { announcement.textContent = text; }
  function set(id, text) {
    var element = document.getElementById(id);
    if (element && element.textContent !== text) { element.textContent = text; }
  }
  function count(n, word) { return n + " " + word + (n === 1 ? "" : "s"); }

  // What the probe says of the database on this page.
  function mine(report) {
    var name = main().dataset.database;
    return (report.databases || []).find(function (one) { return one.database === name; }) || report;
  }

  // Changes whenever more of the page than the progress must be drawn again.
  function signature(one) {
    return JSON.stringify([one.startup, one.stage, one.state, one.ready, one.revision, one.error,
      one.waiting_for && one.waiting_for.what]);
  }

  function showProgress(one) {
    var progress = one.progress;
    var bar = document.getElementById("progress");
    if (!progress || !bar) { return; }
    bar.max = Math.max(1, progress.total);
    bar.value = progress.done;
    if (one.startup === "starting" && one.stage === "migrate" && !one.waiting_for) {
      set("lead", "Step " + progress.position + " of " + progress.total + " is running.");
    }
    set("running-revision", one.revision || "");
    set("running-message", one.message || "");
    set("progress-text", progress.done + " of " + count(progress.total, "step") + " done, " +
      count(progress.statements_done, "statement") + " of this step");
  }

  // Draws the page again and leaves the reader where they were.
  function redraw() {
    if (String(window.getSelection())) { return Promise.resolve(); }
    return fetch(window.location.href, { cache: "no-store" })
      .then(function (answer) { return answer.ok ? answer.text() : Promise.reject(answer.status); })
      .then(function (html) {
        var fresh = new DOMParser().parseFromString(html, "text/html");
        var next = fresh.getElementById("main");
        if (!next) { return; }
        var before = document.getElementById("state").textContent;
        var focused = main().contains(document.activeElement) && document.activeElement.closest("[id]");
        main().querySelectorAll("details[id]").forEach(function (old) {
          var now = next.querySelector("#" + CSS.escape(old.id));
          if (now) { now.open = old.open; }
        });
        main().replaceWith(document.adoptNode(next));
        ["header nav", "footer"].forEach(function (part) {
          var old = document.querySelector(part);
          var now = fresh.querySelector(part);
          if (old && now && !old.contains(document.activeElement)) { old.replaceWith(document.adoptNode(now)); }
        });
        document.title = fresh.title;
        if (focused) {
          var again = document.getElementById(focused.id);
          if (again) { (again.querySelector("summary") || again).focus({ preventScroll: true }); }
        }
        var after = document.getElementById("state").textContent;
        if (after !== before) { say(after + ". " + document.getElementById("lead").textContent); }
      });
  }

  function look() {
    fetch(base + "health/ready", { cache: "no-store" })
      .then(function (answer) { return answer.json(); })
      .then(function (report) {
        silent = 0;
        var one = mine(report);
        var now = signature(one);
        var shown = document.getElementById("running-revision");
        var changed = last === null ?
          busy() !== (one.startup === "starting") || (shown ? shown.textContent : "") !== (one.revision || "") :
          now !== last;
        last = now;
        showProgress(one);
        if (changed) { return redraw(); }
      })
      .catch(function () {
        silent += 1;
        if (silent === 3) {
          set("lead", "The server has stopped answering; this is what it said last.");
          say("The server has stopped answering.");
          last = null;
        }
      })
      .then(function () { setTimeout(look, busy() ? 1000 : 5000); });
  }

  setTimeout(look, 1000);
  // What changes without a probe showing it: the audit trail and how long ago things were.
  setInterval(function () { if (!document.hidden && !busy()) { redraw().catch(function () {}); } }, 30000);
})();
