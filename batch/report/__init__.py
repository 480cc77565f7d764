"""The results of a batch as one HTML file that needs nothing beside itself."""

from .write import write_report

__all__ = ["write_report"]
