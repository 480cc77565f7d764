// Other ways than a cell: alternatives of its answer, and what the table itself offers.

/** The fields of nested objects with their dotted paths. */
const leavesOf = (fields, within = "") =>
  Object.entries(fields).flatMap(([name, value]) =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? leavesOf(value, `${within}${name}.`)
      : [[`${within}${name}`, value]],
  );

function offersPart(i) {
  const offer = told("offers", i);
  if (!offer) return null;
  const one = ({ changes, arguments: spelt, why, verdict, total_bytes: needed, usable_bytes: usable }) =>
    make(
      "li",
      {},
      verdictMark(verdict),
      " ",
      make("b", {}, listed(leavesOf(changes).map(([path, value]) => `${axisName(path)} ${valueName(path, value)}`))),
      spelt.length ? make("code", { className: "under" }, spelt.join(" ")) : null,
      make("span", { className: "under" }, say("list.of", { needed: gib(needed), usable: gib(usable) })),
      why ? make("p", { className: "under", lang: TAGS[offer.locale] }, why) : null,
    );
  return part(
    say("panel.alternatives"),
    offer.alternatives.length ? make("ol", { className: "offers" }, offer.alternatives.map(one)) : null,
    offer.nearest_miss
      ? [make("p", {}, say("panel.nearest_miss")), make("ul", { className: "offers" }, one(offer.nearest_miss))]
      : null,
  );
}

const SMALLEST = 5;

/** What the table itself offers: with all else alike, other formats here, and the smallest GPUs elsewhere. */
function elsewherePart(i) {
  const axes = table.axes.filter(({ path }) => path !== "weight_format");
  const isAlike = (other) => axes.every(({ codes }) => codes[other] === codes[i]);
  const [row, column] = [table.row[i], table.column[i]];
  const here = variantsAt(row, column).filter((other) => other !== i && starts(other) && isAlike(other));
  const fitting = [];
  for (let place = 0; place < table.columns.length; place++) {
    const [best] = variantsAt(row, place).filter(
      (other) => VERDICTS[table.verdict[other]] === "fits" && isAlike(other),
    );
    if (best !== undefined) fitting.push({ place, best });
  }
  fitting.sort(
    (a, b) => table.columns[a.place].together - table.columns[b.place].together || compareCells(table, a.best, b.best),
  );
  const room = (other) => `${gibSignedHundredths(table.headroom[other])} GiB`;
  return [
    here.length
      ? part(
          say("panel.other_formats"),
          make(
            "ul",
            { className: "elsewhere" },
            here.map((other) =>
              make(
                "li",
                {},
                verdictMark(VERDICTS[table.verdict[other]]),
                make("span", {}, formatShown(other)),
                make("span", { className: "number" }, room(other)),
              ),
            ),
          ),
        )
      : null,
    part(
      say("panel.smallest"),
      fitting.length
        ? make(
            "ul",
            { className: "elsewhere" },
            fitting.slice(0, SMALLEST).map(({ place, best }) =>
              make(
                "li",
                {},
                make(
                  "button",
                  {
                    type: "button",
                    className: "entry",
                    on: {
                      click: () => openPanel(row, place, document.querySelector(`[data-open="${row},${place}"]`)),
                    },
                  },
                  table.columns[place].label,
                ),
                make("span", {}, formatShown(best)),
                make("span", { className: "number" }, room(best)),
              ),
            ),
          )
        : make("p", {}, say("panel.smallest_none")),
    ),
  ];
}
