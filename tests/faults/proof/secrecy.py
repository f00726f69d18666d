"""Whether no secret stands in clear where it is not kept: in logs, events, requests, XComs."""

import re
from collections import Counter

from tests.faults.proof.facts import Facts, Result

SHORTEST = 8  # characters: less is found anywhere
#: Whatever looks like one: a signed token, credentials in a header.
PATTERNS = {
    "a signed token": re.compile(r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    "credentials": re.compile(r"(?i)\b(?:bearer|basic) +[A-Za-z0-9+/_=.-]{16,}"),
}


def check(facts: Facts) -> Result:
    secrets = {text: kind for kind, texts in facts.secrets.items() for text in texts if len(text) >= SHORTEST}
    found: Counter[tuple[str, str]] = Counter()
    places: Counter[str] = Counter()
    size = 0
    for place, text in facts.texts:
        places[place.partition(" ")[0]] += 1
        size += len(text)
        for secret, kind in secrets.items():
            if secret in text:  # much quicker than to search for all of them at once
                found[place, kind] += len(re.findall(literally(secret), text))
        for kind, pattern in PATTERNS.items():
            if hits := len(pattern.findall(text)):
                found[place, kind] += hits
    wrong = [f"{place}: {kind}, {count} times" for (place, kind), count in found.items() if count]
    if not secrets or not size:
        wrong.append("no secrets, or no texts: this proves nothing")
    kinds = Counter(secrets.values())
    return Result(
        "no secret in any log or table",
        f"{len(secrets)} secrets ({', '.join(f'{count} {kind}' for kind, count in kinds.items())}) in "
        f"{dict(places)}, {size / 1e6:.1f} MB",
        wrong,
    )


def literally(secret: str) -> str:
    """Digits alone stand inside of other numbers, too."""
    return rf"\b{secret}\b" if secret.isdecimal() else re.escape(secret)
