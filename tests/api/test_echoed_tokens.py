"""No error repeats the access token, whatever Xero or a proxy echoes and whatever the token looks like."""

import pytest

from tests.support.scripted import Reply, Rig, Server, as_json, fresh
from xero.api.errors import XeroError

OPAQUE = "0123456789-abcdef-of-no-known-form"


@pytest.mark.parametrize("status", [400, 403, 404, 500])
@pytest.mark.parametrize(
    "echo",
    [
        {"Message": f"not for {OPAQUE}"},
        {"Detail": f"AuthorizationUnsuccessful {OPAQUE}"},
        {"Elements": [{"ValidationErrors": [{"Message": f"who is {OPAQUE}?"}]}]},
        f"go away, {OPAQUE}",
    ],
    ids=["message", "detail", "validation error", "text"],
)
def test_an_echoed_token_is_masked(rig: Rig, server: Server, status: int, echo: object) -> None:
    rig.tokens.token = fresh(OPAQUE)
    text = isinstance(echo, str)
    server.says(Reply(status, str(echo).encode(), {"Content-Type": "text/plain"}) if text else as_json(status, echo))
    with pytest.raises(XeroError) as caught:
        rig.client.get("/api.xro/2.0/Contacts")
    assert ("Authorization", f"Bearer {OPAQUE}") in server.seen[0].headers
    said = f"{caught.value} {caught.value!r} {vars(caught.value)}"
    assert OPAQUE not in said
