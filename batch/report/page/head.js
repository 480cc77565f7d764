// What the page is: title, counts, versions, views and languages.

const short = (digest) => digest.replace(/^sha256:/, "").slice(0, 8);
const versionText = (version) =>
  say("head.versions", {
    weighbridge: version.weighbridge,
    rules: short(version.rules),
    catalog: short(version.catalog),
  });

function aboutLines() {
  const { versions, installed_rules: installed, fixed, written } = table.head;
  const counts = { models: whole(table.rows.length), gpus: whole(table.columns.length), cells: whole(table.cells) };
  const line = [say("head.cells", counts), say("head.written", { time: written })];
  if (versions.length === 1) line.push(versionText(versions[0]));
  const asked = Object.entries(fixed).map(([path, text]) => `${axisName(path)} ${valueName(path, JSON.parse(text))}`);
  return [
    make("p", {}, line.join(" · ")),
    asked.length ? make("p", {}, say("head.fixed", { asked: listed(asked) })) : null,
    versions.length > 1
      ? make(
          "div",
          { className: "notice" },
          say("head.several_versions", { count: versions.length }),
          make(
            "ul",
            {},
            versions.map((version) =>
              make("li", {}, versionText(version), " · ", say("head.version_cells", { cells: whole(version.cells) })),
            ),
          ),
        )
      : null,
    versions.some(({ rules }) => rules !== installed)
      ? make("p", { className: "notice" }, say("head.other_rules"))
      : null,
  ];
}

function drawHead() {
  fill(byId("about"), aboutLines());
  const languages = byId("languages");
  languages.setAttribute("aria-label", say("language.label"));
  fill(
    languages,
    Object.entries(LANGUAGES).map(([name, shown]) =>
      make(
        "button",
        {
          type: "button",
          lang: TAGS[name],
          data: { language: name },
          aria: { pressed: String(language === name) },
          on: { click: () => changeLanguage(name) },
        },
        shown,
      ),
    ),
  );
  const views = byId("views");
  views.setAttribute("aria-label", say("view.label"));
  fill(
    views,
    VIEWS.map((view) =>
      make("button", { type: "button", data: { view }, on: { click: () => change({ view }) } }, say(`view.${view}`)),
    ),
  );
}

function updateHead() {
  for (const button of document.querySelectorAll("#views button")) {
    if (button.dataset.view === state.view) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  const { pairs, cells } = selection;
  byId("shown").textContent = say("shown", {
    pairs: whole(pairs),
    all: whole(table.rows.length * table.columns.length),
    cells: whole(cells),
  });
}
