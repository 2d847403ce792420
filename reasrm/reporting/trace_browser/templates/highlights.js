// Marks over texts that need no elements: the words that were searched, and what a reply quotes from the answers.
// Ranges of a text below `place`, wherever it stands; case counts only where `exactly`.
function rangesOf(text, place, exactly) {
  const found = [];
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  const wanted = exactly ? text : text.toLowerCase();
  while (wanted && walker.nextNode()) {
    const node = walker.currentNode;
    const held = exactly ? node.data : node.data.toLowerCase();
    for (let at = held.indexOf(wanted); at >= 0 && at + wanted.length <= node.length; at = held.indexOf(wanted, at + wanted.length)) {
      const range = new Range();
      range.setStart(node, at);
      range.setEnd(node, at + wanted.length);
      found.push(range);
    }
  }
  return found;
}

// Marks the words that were searched, and in the answers what the reply quotes; no element is made for it.
function highlight(view, entry, judged) {
  if (!window.Highlight) return;
  const texts = Array.from(view.querySelectorAll(".text"));
  const searched = wantedWords(choice.words).flatMap((word) => texts.flatMap((text) => rangesOf(word, text, false)));
  CSS.highlights.set("searched", new Highlight(...searched));
  const quoted = [];
  const pieces = judged.reply === undefined ? [] : entry.replies[judged.reply];
  for (let at = 0; at < pieces.length; at += 2) {
    const [kind, label] = index.marks[pieces[at]];
    if (kind !== "found") continue;
    view.querySelectorAll("[data-answer]").forEach((box) => { // the label ends with the answer’s letter
      if (label.endsWith(" " + box.dataset.answer)) quoted.push(...rangesOf(pieces[at + 1].trim(), box.querySelector(".text"), true));
    });
  }
  CSS.highlights.set("quoted", new Highlight(...quoted));
}
