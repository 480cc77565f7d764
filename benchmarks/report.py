"""How soon a report is written, opens and follows a hand: ``python -m benchmarks.report results.jsonl``.

Times in the page are those from an event to the end of the frame that shows what it did, of a window of 1440 x 900.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page

from batch.report import write_report
from tests.browser.chromium import chromium, find_chromium

ROUNDS = 5
"""Times each thing is done, of which the quickest and the slowest are told."""

_WATCH = """
window.usable = null;
new MutationObserver(() => {
  if (usable === null && document.body?.dataset.ready) {
    usable = 0;
    requestAnimationFrame(() => setTimeout(() => { usable = performance.now(); }));
  }
}).observe(document, { subtree: true, attributes: true, childList: true });
window.timed = async (act) => {
  const began = performance.now();
  act();
  await new Promise((shown) => requestAnimationFrame(() => setTimeout(shown)));
  return performance.now() - began;
};
window.one = (selector) => document.querySelector(selector);
window.press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
window.enter = (text) => { one("#search").value = text; one("#search").dispatchEvent(new Event("input")); };
"""

_INTERACTIONS = {
    "open a panel": "one('[role=gridcell]').click()",
    "choose a variant": "[...document.querySelectorAll('#panel [aria-pressed=false]')].at(-1)?.click()",
    "close it": "press('Escape')",
    "move by a cell": "press('ArrowDown')",
    "move by a page": "press('PageDown')",
    "move to the end": "press('End')",
    "scroll down": "one('.scroller').scrollTop += 700",
    "scroll sideways": "one('.scroller').scrollLeft -= 900",
    "search": "enter('qwen h100')",
    "search for nothing": "enter('')",
    "open a filter": "one('[data-filter=family]').click()",
    "filter by family": "one('input[data-of=family]').click()",
    "clear it": "one('.values:not([hidden]) .plain').click()",
    "open another filter": "one('[data-filter=weight_format]')?.click()",
    "filter by format": "one('input[data-of=weight_format]')?.click()",
    "close the filter": "press('Escape')",
    "filter by verdict": "one('button.verdict').click()",
    "reset": "one('#reset').click()",
    "order": "one('#order-rows').value = 'size'; one('#order-rows').dispatchEvent(new Event('change'))",
    "Chinese": "one('[data-language=zh]').click()",
    "English": "one('[data-language=en]').click()",
    "list of GPUs": "one('[data-view=model]').click()",
    "sort it": "one('th[data-name=headroom] button').click()",
    "panel in a list": "one('.list .entry').click()",
    "list of models": "one('[data-view=gpu]').click()",
    "Chinese in a list": "one('[data-language=zh]').click()",
    "English in a list": "one('[data-language=en]').click()",
    "matrix": "one('[data-view=matrix]').click()",
}


def main(results: Path) -> None:
    """Write the report of ``results`` and print what was measured."""
    path = find_chromium()
    if path is None:
        raise SystemExit("there is no Chromium on PATH")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.html"
        began, began_cpu = time.perf_counter(), time.process_time()
        write_report(results, report, title="Benchmark")
        print(f"written in            {time.perf_counter() - began:8.1f} s")
        print(f"of CPU                {time.process_time() - began_cpu:8.1f} s")
        print(f"most memory           {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MiB")
        print(f"results file          {results.stat().st_size / 2**20:8.1f} MiB")
        print(f"report                {report.stat().st_size / 2**20:8.1f} MiB")
        with chromium(path) as browser:
            _tell_of_the_page(browser, report.as_uri())


def _tell_of_the_page(browser: Browser, address: str) -> None:
    opened = [_opened(browser, address) for _ in range(ROUNDS)]
    print(f"usable after          {median(opened):8.0f} ms, {min(opened):.0f} to {max(opened):.0f} in {ROUNDS} rounds")
    page = _page(browser, address)
    times: dict[str, list[float]] = {}
    for name, milliseconds in _interactions(page):
        times.setdefault(name, []).append(milliseconds)
    for name, taken in sorted(times.items(), key=lambda each: -median(each[1])):
        print(f"{name:<22}{median(taken):8.0f} ms, {min(taken):.0f} to {max(taken):.0f}")


def _page(browser: Browser, address: str) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, locale="en")
    page.add_init_script(_WATCH)
    page.goto(address)
    page.wait_for_selector("body[data-ready=all]")
    return page


def _opened(browser: Browser, address: str) -> float:
    page = _page(browser, address)
    milliseconds = float(page.evaluate("usable"))
    page.close()
    return milliseconds


def _interactions(page: Page) -> Iterator[tuple[str, float]]:
    for _ in range(ROUNDS):
        for name, act in _INTERACTIONS.items():
            yield name, float(page.evaluate(f"timed(() => {{ {act} }})"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
