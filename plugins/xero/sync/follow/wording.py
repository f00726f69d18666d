"""Differences in words: what differs, and what to do."""

from xero.qicworks.follow.differences import About, Found


def say(found: Found, about: About) -> tuple[str, str]:
    """Message and correction."""
    fields = ", ".join(
        f"{name}: {ours or 'nothing'} | {found.theirs.get(name) or 'nothing'}" for name, ours in found.ours.items()
    )
    return f"{found.reason.value.replace('_', ' ')}: {fields}", "Compare both."
