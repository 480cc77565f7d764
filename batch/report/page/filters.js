// Search, filters, orders and verdicts above every view.

let openFilter = null;

function drawTools() {
  const filters = table.filters.filter(({ name, options }) => name !== "verdict" && options.length > 1);
  fill(
    byId("tools"),
    make(
      "div",
      { className: "bar" },
      make("input", {
        id: "search",
        type: "search",
        value: state.query,
        placeholder: say("search.label"),
        aria: { label: say("search.label") },
        on: { input: (event) => change({ query: event.target.value }) },
      }),
      make(
        "div",
        { className: "filters", role: "group", aria: { label: say("filter.label") } },
        filters.map(filterBox),
      ),
      orderBox("rows", ROW_ORDERS),
      orderBox("columns", COLUMN_ORDERS),
      make("button", { id: "reset", type: "button", className: "plain", on: { click: reset } }, say("filter.reset")),
    ),
    make(
      "div",
      { className: "bar" },
      make(
        "div",
        { id: "verdicts", role: "group", aria: { label: say("verdicts.label") } },
        VERDICTS.map(verdictButton),
      ),
      howBox(),
    ),
  );
}

/** A button and the values it opens. */
function filterBox({ name, options }) {
  const id = `values-${name}`;
  const close = () => {
    values.hidden = true;
    button.setAttribute("aria-expanded", "false");
    openFilter = null;
  };
  const open = () => {
    openFilter?.close();
    if (!values.childElementCount) fillValues();
    values.hidden = false;
    button.setAttribute("aria-expanded", "true");
    openFilter = { close, box, button };
    values.querySelector("input").focus();
  };
  const button = make("button", {
    type: "button",
    data: { filter: name },
    aria: { expanded: "false", controls: id },
    on: { click: () => (values.hidden ? open() : close()) },
  });
  const values = make("div", { id, className: "values", role: "group", aria: { label: axisName(name) }, hidden: true });
  const fillValues = () => {
    const groups = [...new Set(options.map(({ group }) => group))];
    fill(
      values,
      make(
        "button",
        { type: "button", className: "plain", on: { click: () => choose(name, []) } },
        say("filter.clear"),
      ),
      groups.map((group) => [
        group ? make("p", { className: "group" }, group) : null,
        options.filter((option) => option.group === group).map((option) => valueBox(name, option)),
      ]),
    );
  };
  const box = make("div", { className: "filter" }, button, values);
  return box;
}

function valueBox(name, { value, text, meant }) {
  const shown = text === null ? say("filter.unknown") : (text ?? valueName(name, meant));
  const toggle = (event) =>
    choose(name, event.target.checked ? [...chosen(name), value] : chosen(name).filter((each) => each !== value));
  return make(
    "label",
    {},
    make("input", {
      type: "checkbox",
      value,
      checked: chosen(name).includes(value),
      data: { of: name },
      on: { change: toggle },
    }),
    ` ${shown}`,
  );
}

function orderBox(which, orders) {
  const pick = (event) => change({ [which]: event.target.value });
  return make(
    "label",
    { className: "order" },
    make("span", {}, say(`order.${which}`)),
    make(
      "select",
      { id: `order-${which}`, on: { change: pick } },
      orders.map((order) => make("option", { value: order, selected: state[which] === order }, say(`order.${order}`))),
    ),
  );
}

function verdictButton(verdict) {
  const toggle = () =>
    choose(
      "verdict",
      chosen("verdict").includes(verdict)
        ? chosen("verdict").filter((each) => each !== verdict)
        : [...chosen("verdict"), verdict],
    );
  return make(
    "button",
    {
      type: "button",
      className: "verdict",
      data: { verdict },
      title: say(`verdict.meaning.${verdict}`),
      on: { click: toggle },
    },
    make("span", { className: "swatch", data: { verdict }, aria: { hidden: "true" } }, SYMBOLS[verdict]),
    make("span", {}, say(`verdict.${verdict}`)),
    make("b", {}),
  );
}

function howBox() {
  const said = ["how.best", "how.headroom", "how.bar", "how.lists", "how.keys"].map((name) => make("p", {}, say(name)));
  return make("details", { id: "how" }, make("summary", {}, say("how.title")), make("div", {}, said));
}

/** What is chosen and counted, in the controls that are there. */
function updateTools() {
  for (const { name } of table.filters) {
    const button = document.querySelector(`button[data-filter="${CSS.escape(name)}"]`);
    if (!button) continue;
    const count = chosen(name).length;
    button.classList.toggle("chosen", count > 0);
    fill(button, axisName(name), count ? make("b", {}, ` ${count}`) : null);
    if (count) button.setAttribute("aria-label", say("filter.chosen", { name: axisName(name), count }));
    else button.removeAttribute("aria-label");
  }
  for (const box of document.querySelectorAll("#tools input[data-of]"))
    box.checked = chosen(box.dataset.of).includes(box.value);
  for (const button of document.querySelectorAll("button.verdict")) {
    const { verdict } = button.dataset;
    button.setAttribute("aria-pressed", String(chosen("verdict").includes(verdict)));
    button.lastChild.textContent = whole(selection.counts[VERDICTS.indexOf(verdict)]);
  }
  const search = byId("search");
  if (search.value !== state.query) search.value = state.query;
  byId("order-rows").value = state.rows;
  byId("order-columns").value = state.columns;
}

document.addEventListener("pointerdown", (event) => {
  if (openFilter && !openFilter.box.contains(event.target)) openFilter.close();
});
document.addEventListener("focusin", (event) => {
  if (openFilter && !openFilter.box.contains(event.target)) openFilter.close();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !openFilter) return;
  const { button } = openFilter;
  openFilter.close();
  button.focus();
  event.stopImmediatePropagation();
});
