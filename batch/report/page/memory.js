// The memory of one GPU in the panel: a bar, and the figures it is drawn from.

const TERMS = ["weights", "kv_cache", "activation", "overhead"];

function memoryPart(i) {
  const [usable, needed, headroom] = [table.usable[i], table.needed[i], table.headroom[i]];
  const evidence = told("evidence", i);
  const rest = headroom < 0 ? "missing" : "headroom";
  const row = (name, bytes, rests, className = "") =>
    make(
      "tr",
      { className },
      make(
        "th",
        { scope: "row" },
        make("i", { className: "swatch", data: { term: name } }),
        capital(say(`term.${name}`)),
      ),
      make("td", { className: "number" }, gib(bytes)),
      make("td", { className: "number" }, usable > 0 ? numbers.percent.format(bytes / usable) : "–"),
      make("td", {}, rests ? say(`evidence.${rests}`) : ""),
    );
  return part(
    say("panel.memory"),
    memoryBar(i, rest),
    make(
      "table",
      { className: "terms" },
      make(
        "thead",
        {},
        make(
          "tr",
          {},
          make("th", { scope: "col" }, say("panel.term")),
          make("th", { scope: "col", className: "number" }, "GiB"),
          make("th", { scope: "col", className: "number" }, say("panel.share")),
          make("th", { scope: "col" }, say("panel.rests_on")),
        ),
      ),
      make(
        "tbody",
        {},
        TERMS.map((name) => row(name, table.terms[name][i], evidence[name])),
        row("needed", needed, null, "sum"),
        row("usable", usable, evidence.usable),
        row(rest, Math.abs(headroom), null, "sum"),
      ),
    ),
    facts([
      [
        say("panel.range"),
        say("panel.range_of", { low: gib(detail("low_bytes", i)), high: gib(detail("high_bytes", i)) }),
      ],
      [say("panel.outside"), outsideText(i)],
    ]),
  );
}

function outsideText(i) {
  if (Number.isNaN(detail("outside_needed_bytes", i))) return null;
  const words = Object.fromEntries(
    ["needed", "low", "high", "room"].map((name) => [name, gib(detail(`outside_${name}_bytes`, i))]),
  );
  return say("panel.outside_of", words);
}

/** The terms side by side, to scale, with a line where usable memory ends. */
function memoryBar(i, rest) {
  const [usable, needed] = [table.usable[i], table.needed[i]];
  const longest = Math.max(usable, needed, 1);
  const spoken = listed(TERMS.map((name) => `${say(`term.${name}`)} ${gib(table.terms[name][i])} GiB`));
  const bar = make("div", {
    className: "stack",
    role: "img",
    aria: {
      label: say("panel.bar", {
        terms: spoken,
        rest: `${say(`term.${rest}`)} ${gib(Math.abs(table.headroom[i]))} GiB`,
      }),
    },
  });
  let from = 0;
  const add = (name, bytes) => {
    const piece = make("span", { data: { term: name } });
    piece.style.left = percent(from / longest);
    piece.style.width = percent(bytes / longest);
    from += bytes;
    bar.append(piece);
  };
  for (const name of TERMS) add(name, table.terms[name][i]);
  if (needed <= usable) add("headroom", usable - needed);
  else {
    from = usable;
    add("missing", needed - usable);
  }
  const end = make("span", { className: "end" });
  end.style.left = percent(usable / longest);
  bar.append(end);
  return bar;
}
