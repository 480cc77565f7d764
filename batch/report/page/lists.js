// Ranked lists: GPUs for one model, and models on one GPU.

const listOrder = { model: null, gpu: null }; // by view, the column it is sorted by and whether upwards

function drawList(into) {
  const view = state.view;
  const isModel = view === "model";
  const entries = isModel ? table.rows : table.columns;
  if (!entries.length) return fill(into, make("p", { className: "nothing" }, say("nothing")));
  const order = [...entries.keys()].sort((a, b) => (isModel ? table.rowRank[a] - table.rowRank[b] : columnOrder(a, b)));
  state[view] ??= (isModel ? selection.rows : selection.columns)[0] ?? order[0];
  const select = make(
    "select",
    { id: "list-of", on: { change: (event) => change({ [view]: Number(event.target.value) }) } },
    order.map((place) =>
      make("option", { value: String(place), selected: place === state[view] }, entries[place].label),
    ),
  );
  const columns = listColumns(isModel);
  const lines = listLines(isModel);
  sortLines(lines, columns, listOrder[view]);
  const body = make("tbody");
  fill(
    into,
    make("label", { className: "list-of" }, make("span", {}, say(`list.${view}`)), select),
    lines.length
      ? make(
          "div",
          { className: "list" },
          make(
            "table",
            {},
            make("caption", {}, say(`list.of_${view}`, { name: entries[state[view]].label })),
            listHead(view, columns),
            body,
          ),
        )
      : make("p", { className: "nothing" }, say("nothing")),
  );
  restOfList = appender(body, lines, columns);
  restOfList(AT_ONCE);
}

const AT_ONCE = 24; // rows drawn in one go
let restOfList = () => {};

/** A function that draws so many more rows, and then the others when the browser has shown those. */
function appender(body, lines, columns) {
  let drawn = 0;
  return function append(count) {
    const more = lines.slice(drawn, drawn + count);
    body.append(...more.map((line, place) => listRow(line, drawn + place, columns)));
    drawn += more.length;
    if (drawn < lines.length) requestAnimationFrame(() => setTimeout(() => body.isConnected && append(AT_ONCE)));
  };
}

/** The best cell of every pair in the list, with its row and column, best first. */
function listLines(isModel) {
  const others = isModel ? selection.columns : selection.rows;
  const lines = others.map((other) => {
    const [row, column] = isModel ? [state.model, other] : [other, state.gpu];
    return { row, column, i: selection.best[pairAt(table, row, column)] };
  });
  const size = (line) => (isModel ? table.columns[line.column].together : -(table.rows[line.row].num_parameters ?? 0));
  const sizes = (a, b) => (starts(a.i) ? size(a) - size(b) || 0 : 0);
  return lines
    .filter((line) => line.i !== NONE)
    .sort((a, b) => table.verdict[a.i] - table.verdict[b.i] || sizes(a, b) || compareCells(table, a.i, b.i));
}

function listColumns(isModel) {
  const weighed =
    (draw) =>
    ({ i }) =>
      table.verdict[i] < VERDICTS.indexOf("error") ? draw(i) : "–";
  const name = isModel
    ? {
        name: "gpu",
        of: ({ column }) => table.columns[column].label,
        draw: (line) => entryButton(line, table.columns[line.column].label, table.columns[line.column].generation),
      }
    : {
        name: "model",
        of: ({ row }) => table.rows[row].label,
        draw: (line) => entryButton(line, table.rows[line.row].label, table.rows[line.row].family),
      };
  const size = isModel
    ? {
        name: "memory",
        number: true,
        of: ({ column }) => table.columns[column].together,
        draw: ({ column }) => memoryName(table.columns[column]),
      }
    : {
        name: "parameters",
        number: true,
        of: ({ row }) => table.rows[row].num_parameters ?? 0,
        draw: ({ row }) => table.rows[row].parameters?.[language] ?? "–",
      };
  return [
    name,
    size,
    { name: "verdict", of: ({ i }) => table.grades[i], draw: ({ i }) => verdictMark(VERDICTS[table.verdict[i]]) },
    { name: "format", of: ({ i }) => formatShown(i), draw: weighed(formatShown) },
    { name: "support", of: ({ i }) => table.level[table.support[i]], draw: weighed((i) => say(`level.${levelOf(i)}`)) },
    { name: "need", number: true, of: ({ i }) => table.needed[i], draw: weighed(needBar) },
    {
      name: "headroom",
      number: true,
      of: ({ i }) => table.headroom[i],
      draw: weighed((i) => `${gibSignedHundredths(table.headroom[i])} GiB`),
    },
    {
      name: "sequences",
      number: true,
      of: ({ i }) => table.concurrency[i],
      draw: weighed((i) => sequences(table.concurrency[i])),
    },
  ];
}

const sequences = (count) => (Number.isNaN(count) ? "–" : numbers.atMost.format(count));

function entryButton({ row, column }, text, under) {
  const open = (event) => openPanel(row, column, event.currentTarget);
  return [
    make(
      "button",
      { type: "button", className: "entry", data: { open: `${row},${column}` }, on: { click: open } },
      text,
    ),
    under ? make("span", { className: "under" }, under) : null,
  ];
}

function needBar(i) {
  const bar = make(
    "span",
    { className: "need", data: { verdict: VERDICTS[table.verdict[i]] }, aria: { hidden: "true" } },
    make("span"),
  );
  bar.firstChild.style.width = percent(needFraction(i));
  return [say("list.of", { needed: gib(table.needed[i]), usable: gib(table.usable[i]) }), bar];
}

function listHead(view, columns) {
  const order = listOrder[view];
  const sortBy = (name) => {
    listOrder[view] = order?.name === name ? (order.up ? { name, up: false } : null) : { name, up: true };
    draw();
    document.querySelector(`th[data-name="${name}"] button`)?.focus();
  };
  const heads = columns.map(({ name, number }) => {
    const sorted = order?.name === name ? (order.up ? "ascending" : "descending") : "none";
    const arrow = { ascending: " ↑", descending: " ↓", none: "" }[sorted];
    return make(
      "th",
      { scope: "col", className: number ? "number" : "", data: { name }, aria: { sort: sorted } },
      make(
        "button",
        { type: "button", on: { click: () => sortBy(name) } },
        say(`list.${name}`),
        make("span", { aria: { hidden: "true" } }, arrow),
      ),
    );
  });
  return make(
    "thead",
    {},
    make("tr", {}, make("th", { scope: "col", className: "number", data: { name: "rank" } }, say("list.rank")), heads),
  );
}

function sortLines(lines, columns, order) {
  const column = order && columns.find(({ name }) => name === order.name);
  if (!column) return;
  const compare = (a, b) => {
    const [one, other] = [column.of(a), column.of(b)];
    if (typeof one === "string") return one.localeCompare(other, "en", { numeric: true });
    // What has no figure comes last, whichever way it is sorted.
    if (Number.isNaN(one) || Number.isNaN(other))
      return (Number.isNaN(one) - Number.isNaN(other)) * (order.up ? 1 : -1);
    return one - other || 0;
  };
  lines.sort((a, b) => (order.up ? compare(a, b) : compare(b, a)));
}

function listRow(line, rank, columns) {
  const [name, ...rest] = columns;
  return make(
    "tr",
    {},
    make("td", { className: "number" }, whole(rank + 1)),
    make("th", { scope: "row" }, name.draw(line)),
    rest.map(({ number, draw: drawn }) => make("td", { className: number ? "number" : "" }, drawn(line))),
  );
}
