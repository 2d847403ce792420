// What the selection is made of, as bars that are filters too; it stands where a trace is not open.
const FACETS = [["model", "Models"], ["benchmark", "Benchmarks"], ["family", "Families"]];

function bar(counts) {
  const made = make("span", "parts");
  made.setAttribute("aria-hidden", "true");
  counts.parts.forEach((count, at) => {
    const part = make("span", PARTS[at]);
    part.style.width = (counts.all ? 100 * count / counts.all : 0) + "%";
    made.append(part);
  });
  return made;
}

function cell(count, of, filters) {
  const made = make("td", "");
  if (!count) { made.append(make("span", "none", of ? "0" : "–")); return made; }
  const link = button(percent(count, of), () => choose(filters), "figure");
  link.dataset.key = JSON.stringify([filters, ...(filters.flags || [])]);
  link.title = `${whole(count)} of ${whole(of)}`;
  made.append(link);
  return made;
}

function facetTable([facet, title], counts, shownFlags) {
  const names = facet === "model" ? index.models : facet === "benchmark" ? index.benchmarks
    : index.families.map((name) => ({ name, label: name }));
  const head = make("tr", "", make("th", "left", title), make("th", "bars", "verdicts"), make("th", "", "right"),
    ...shownFlags.map((at) => make("th", "", FLAGS[at][2].toLowerCase())), make("th", "", "judgments"));
  Array.from(head.children).forEach((one) => { one.scope = "col"; });
  const body = names.map(({ name, label }, number) => {
    const own = counts[number];
    const chosen = choice[facet] === name;
    const toggle = button(label || "none named", () => choose({ [facet]: chosen ? "" : name }), "facet");
    toggle.setAttribute("aria-pressed", String(chosen));
    toggle.dataset.key = JSON.stringify([facet, name]);
    if (facet === "model") toggle.prepend(swatch(number));
    if (!name) toggle.disabled = true;
    const header = make("th", "", toggle);
    header.scope = "row";
    return [own.all, make("tr", chosen ? "chosen" : choice[facet] ? "other" : "", header, make("td", "bars", bar(own)),
      cell(own.parts[0], own.all, { [facet]: name, verdict: "right" }),
      ...shownFlags.map((at) => cell(own.flags[at], own.all, { [facet]: name, flags: new Set([FLAGS[at][0]]) })),
      make("td", "n", whole(own.all)))];
  });
  return make("table", "facets", make("thead", "", head), make("tbody", "", ...body.filter(([all]) => all).map(([, line]) => line)));
}

function overview({ facets, total }) {
  const shownFlags = FLAGS.map((_, at) => at).filter((at) => everFlagged & FLAGS[at][1]);
  const legend = make("ul", "legend", ...PARTS.map((part) => make("li", "", make("span", "parts key", make("span", part)), part)));
  const said = make("p", "note", "Choose a judgment to read it. Every name and figure here is a filter; each table counts ",
    "what the other filters leave.");
  const made = make("div", "overview", make("h2", "", summary(total)), said, legend);
  for (const facet of FACETS) {
    if (facets[facet[0]].filter((one) => one.all).length > (facet[0] === "family" ? 1 : 0)) {
      const region = make("div", "scroll", facetTable(facet, facets[facet[0]], shownFlags));
      region.tabIndex = 0;
      region.setAttribute("role", "region");
      region.setAttribute("aria-label", facet[1]);
      made.append(make("div", "sheet", region));
    }
  }
  return made;
}

function summary(total) {
  if (!total.all) return "No judgment fits";
  return `${whole(total.all)} judgment${total.all === 1 ? "" : "s"}, ${percent(total.parts[0], total.all)} right`;
}
