"""Text in files that spreadsheets open: none of it is run."""

# What spreadsheets take for the beginning of a formula (OWASP, "CSV Injection"), their full-width forms included.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - full-width on purpose


def defused(text: str) -> str:
    """Return a text that no spreadsheet runs: with an apostrophe before what could begin a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text
