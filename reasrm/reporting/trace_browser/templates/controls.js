// The controls of the filters; one for each that has something to choose.
let everFlagged = 0; // bits of the flags that any judgment has

function optionsOf(key) {
  const labels = (all) => all.map(({ name, label }) => [name, label]);
  const causes = index.causes.slice(1).map((cause) => ["unreadable:" + cause, "unreadable: " + causeText(cause)]);
  return {
    model: () => [["", "All models"], ...labels(index.models)],
    benchmark: () => [["", "All benchmarks"], ...labels(index.benchmarks)],
    family: () => [["", "All families"], ...index.families.filter(Boolean).map((name) => [name, name])],
    verdict: () => [["", "Right and wrong"], ["right", "right"], ["wrong", "wrong"], ...(causes.length ? [["unreadable", "unreadable"]] : []), ...causes],
    order: () => [["", "Both orders"], ["A", "better is A"], ["B", "better is B"]],
    changed: () => [["", "Probes: any"], ["*", "changed by a probe"], ...index.probes
      .filter((_, at) => index.changes.some((names) => names.includes(at))).map(({ name, label }) => [name, "changed by: " + label])],
    sort: () => SORTS,
  }[key]();
}

const NAMES = { model: "Model", benchmark: "Benchmark", family: "Family", verdict: "Verdict", order: "Order of the answers", changed: "Changed by a probe", sort: "Sort" };

function makeControls() {
  const place = byId("filters"), toggles = byId("toggles");
  for (const key of [...SELECTS, "sort"]) {
    const options = optionsOf(key);
    if (options.length < (key === "changed" ? 3 : 2)) continue;
    const made = make("select", "");
    made.id = "choose-" + key;
    made.setAttribute("aria-label", NAMES[key]);
    made.append(...options.map(([value, text]) => { const option = make("option", "", text); option.value = value; return option; }));
    made.addEventListener("change", () => choose({ [key]: made.value }));
    (key === "sort" ? toggles : place).append(made);
  }
  for (const [name, bit, label, what] of FLAGS.filter(([, bit]) => everFlagged & bit)) {
    const made = button(label, () => {
      const flags = new Set(choice.flags);
      if (!flags.delete(name)) flags.add(name);
      choose({ flags });
    }, "toggle");
    made.id = "flag-" + name;
    made.title = what;
    made.append(make("small", "", whole(index.judgments.flags.filter((flags) => flags & bit).length)));
    toggles.append(made);
  }
  const clear = button("Clear", () => choose({ ...Object.fromEntries([...SELECTS, "words"].map((key) => [key, ""])), flags: new Set() }));
  clear.id = "clear";
  toggles.append(clear);
}

function showControls() {
  for (const key of [...SELECTS, "sort"]) {
    const control = byId("choose-" + key);
    if (control) { control.value = choice[key]; control.classList.toggle("active", choice[key] !== "" && key !== "sort"); }
  }
  for (const [name] of FLAGS) if (byId("flag-" + name)) byId("flag-" + name).setAttribute("aria-pressed", String(choice.flags.has(name)));
  if (document.activeElement !== words) words.value = choice.words;
  const active = SELECTS.filter((key) => choice[key]).length + choice.flags.size;
  byId("clear").disabled = !active && !choice.words;
  byId("fold").textContent = active ? `Filters (${active})` : "Filters";
}
