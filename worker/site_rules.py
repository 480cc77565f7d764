"""A site's own rules, kept in force by the process that starts those that answer."""

from pathlib import Path
from threading import Event

from schemas.errors import InvalidSettingError


def watch_rules(folder: Path, home: Path, stop: Event) -> None:
    """Puts the rules of ``folder`` in force below ``home``, and keeps up with them until ``stop`` is set.

    Raises: InvalidSettingError when the folder is broken and no rules are kept that were in force before.
    """
    from rules.site_watch import BrokenRulesError, SiteWatch  # noqa: PLC0415 - it brings rules, which few need here

    watch = SiteWatch(folder, home)
    try:
        watch.begin()
    except BrokenRulesError as error:
        raise InvalidSettingError(
            f"WEIGHBRIDGE_RULES_PATH: {error}", field="WEIGHBRIDGE_RULES_PATH", hint="weighbridge rules test tells more"
        ) from None
    watch.watch(stop)
