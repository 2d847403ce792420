// Filters of the examples, links that open one, and old links to sections that moved to another page; each page is
// complete without it. Texts only ever enter through textContent.
(function () {
  "use strict";
  if (location.hash.length > 1 && !document.getElementById(location.hash.slice(1))) {
    var moved = Array.prototype.filter.call(document.querySelectorAll("#pages a"), function (link) {
      return link.hash === location.hash;
    })[0];
    if (moved) location.replace(moved.href);
  }
  var examples = Array.prototype.slice.call(document.querySelectorAll("details.example"));
  function openLinked() {
    var linked = document.getElementById(location.hash.slice(1));
    if (!linked || examples.indexOf(linked) < 0) return;
    linked.hidden = false;
    linked.open = true;
    linked.scrollIntoView();
  }
  window.addEventListener("hashchange", openLinked);
  openLinked();
  var place = document.getElementById("filters");
  if (!place || examples.length < 2) return;
  var kinds = ["all"];
  examples.forEach(function (example) {
    if (kinds.indexOf(example.dataset.kind) < 0) kinds.push(example.dataset.kind);
  });
  function button(label, act) {
    var made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    made.addEventListener("click", act);
    place.appendChild(made);
    return made;
  }
  var choices = kinds.map(function (kind) {
    var made = button(kind, function () {
      examples.forEach(function (example) { example.hidden = kind !== "all" && example.dataset.kind !== kind; });
      choices.forEach(function (other) { other.setAttribute("aria-pressed", String(other === made)); });
    });
    made.setAttribute("aria-pressed", String(kind === "all"));
    return made;
  });
  button("open or close all", function () {
    var open = examples.some(function (example) { return !example.hidden && !example.open; });
    examples.forEach(function (example) { if (!example.hidden) example.open = open; });
  });
})();
