// Heads and cells of the matrix.

const tabindex = (row, column) => (matrix.cursor[0] === row && matrix.cursor[1] === column ? 0 : -1);

const corner = () =>
  make("div", { role: "columnheader", className: "corner", aria: { colindex: "1" } }, say("matrix.corner"));

function columnHead(place) {
  const column = table.columns[selection.columns[place]];
  const head = make(
    "div",
    {
      role: "columnheader",
      className: "head",
      tabIndex: tabindex(HEADS, place),
      title: column.label,
      data: { row: HEADS, column: place },
      aria: { colindex: place + 2, label: say("matrix.column", { gpu: column.label }) },
    },
    make("span", { className: "generation" }, column.generation ?? ""),
    make("span", { className: "name" }, column.label),
    make("span", { className: "memory" }, memoryName(column)),
  );
  head.style.left = `${matrix.side + place * matrix.column}px`;
  return head;
}

function matrixRow(place) {
  const number = selection.rows[place];
  const { label, parameters } = table.rows[number];
  const cut = label.lastIndexOf("/") + 1;
  const head = make(
    "div",
    {
      role: "rowheader",
      className: "side",
      tabIndex: tabindex(place, HEADS),
      title: label,
      data: { row: place, column: HEADS },
      aria: { colindex: "1", label: say("matrix.row", { model: label }) },
    },
    make(
      "span",
      { className: "of" },
      label.slice(0, cut),
      parameters ? make("span", { className: "size" }, parameters[language]) : null,
    ),
    make("span", { className: "name" }, label.slice(cut)),
  );
  const row = make(
    "div",
    { role: "row", className: "row", aria: { rowindex: place + 2 } },
    head,
    matrix.columns.map((column) => matrixCell(place, column)),
  );
  row.style.top = `${SIZE.head + place * SIZE.row}px`;
  return row;
}

function matrixCell(place, columnPlace) {
  const [row, column] = [selection.rows[place], selection.columns[columnPlace]];
  const i = selection.best[pairAt(table, row, column)];
  const verdict = i === NONE ? "not_asked" : VERDICTS[table.verdict[i]];
  const weighed = i !== NONE && verdict !== "error";
  const words = { model: table.rows[row].label, gpu: table.columns[column].label, verdict: say(`verdict.${verdict}`) };
  if (weighed) Object.assign(words, { format: formatShown(i), headroom: gibSigned(table.headroom[i]) });
  const cell = document.createElement("div");
  cell.className = "cell";
  cell.setAttribute("role", "gridcell");
  cell.setAttribute("aria-colindex", columnPlace + 2);
  cell.setAttribute("aria-label", say(weighed ? "matrix.cell" : "matrix.cell_plain", words));
  cell.tabIndex = tabindex(place, columnPlace);
  cell.dataset.row = place;
  cell.dataset.column = columnPlace;
  cell.dataset.verdict = verdict;
  cell.style.left = `${matrix.side + columnPlace * matrix.column}px`;
  const sign = document.createElement("span");
  sign.className = (words.format?.length ?? 0) > LONGEST ? "sign long" : "sign";
  sign.textContent = weighed ? `${SYMBOLS[verdict]} ${words.format}` : SYMBOLS[verdict];
  cell.append(sign);
  if (weighed) {
    const room = document.createElement("span");
    room.className = "room";
    room.textContent = words.headroom;
    cell.append(room);
    cell.style.backgroundSize = `${percent(needFraction(i))} 3px`;
  }
  if (state.open && state.open[0] === row && state.open[1] === column) cell.classList.add("open");
  return cell;
}
